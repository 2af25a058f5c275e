import type { Finding } from '../model/index.ts';
import type { Freezes } from './calendars/index.ts';

/** What is said of the calendars themselves: what they freeze is judged with the window. */
export function calendarFindings({ unread, free }: Freezes): Finding[] {
  return [
    ...unread.map((why): Finding => ({
      severity: 'refusal',
      code: 'freeze',
      what: `a calendar of freezes cannot be read: ${why}`,
      cures: [
        'Mend it, or what freezes names in neap.config.ts',
        'Or decide against it: neap run --override freeze --reason "..."',
      ],
    })),
    ...(free.length === 0
      ? []
      : [
          {
            severity: 'warning' as const,
            code: 'freeze',
            what: `the calendars mark as free, and so do not freeze: ${free.map((title) => `"${title}"`).join(', ')}`,
            cures: ['If it is meant as a freeze, mark it as busy in its calendar'],
          },
        ]),
  ];
}
