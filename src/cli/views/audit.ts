import type { Audit } from '../../journal/index.ts';
import { sanitise } from '../../transport/index.ts';

/** Where the events were read: the journal's file, the engine that has it locked, or an export. */
export interface AuditSource {
  readonly of: 'journal' | 'engine' | 'export';
  readonly path: string;
}

/** What an audit found, for a person: the verdict first, what it rests upon, and what it cannot show. */
export function auditText(audit: Audit, source: AuditSource): string {
  const { flaws, events, head, plan, closed, anchors } = audit;
  const run = line(audit.run ?? 'unknown', 200);
  const lines = [
    `Run ${run}: ${flaws.length === 0 ? 'sound' : 'NOT SOUND'}`,
    ...flaws.map(({ about, what }) => `  ${about.padEnd(7)} ${line(what, 1_000)}`),
    `  ${events === 0 ? 'No event is proven.' : `Events 1 to ${events} stand as they were written, in order.`}`,
    ...(plan !== null && !flaws.some(({ about }) => about === 'plan')
      ? [`  Plan ${plan} is the one that was opened and approved.`]
      : []),
    `  ${closed ? `Closed: ${line(closed.outcome, 100)}.` : 'Not closed in these events.'}`,
    `  ${SEEN[source.of]}`,
    ...(events > 0 ? [`Head ${head.seq}:${head.hash}`] : []),
    ...limits(audit, run),
  ];
  return `${lines.join('\n')}\n`;

  function limits({ flaws: found }: Audit, named: string): string[] {
    if (anchors.given === 0)
      return [
        'What this cannot show: that events were cut off the end, or that the whole journal was written anew.',
        `A head that was kept elsewhere shows it: neap audit verify ${source.of === 'export' ? line(source.path, 1_000) : named} --anchor SEQ:HASH (or a log file)`,
      ];
    const fit = `${anchors.fit} of ${anchors.given} anchors fit`;
    if (found.length > 0) return [`${fit}.`];
    return [
      `${fit}: nothing up to event ${anchors.until} was cut off or written anew.${
        anchors.until < head.seq ? ` Events ${anchors.until + 1} to ${head.seq} have no anchor.` : ''
      }`,
    ];
  }
}

const SEEN: Readonly<Record<AuditSource['of'], string>> = {
  journal: "Read from the journal's file.",
  engine: "Told by the run's engine, which has the file locked: verify it again when the run is closed.",
  export: 'Read from an export.',
};

/** The same for scripts. */
export function auditJson(audit: Audit, source: AuditSource): object {
  return { sound: audit.flaws.length === 0, ...audit, source };
}

/** On one line, with nothing in it that a terminal acts upon: an export comes from anywhere. */
function line(text: string, atMost: number): string {
  return sanitise(text, atMost).replaceAll(/\s+/g, ' ');
}
