import { userInfo } from 'node:os';
import { select } from '@inquirer/prompts';
import { ListrInquirerPromptAdapter } from '@listr2/prompt-adapter-inquirer';
import { ListrTaskState } from 'listr2';
import { duration, gateOf, gateText, type Track } from '../../../run/index.ts';
import type { Session } from '../../session.ts';
import { DESCRIPTION_LINES_MAX, gateChoices, leavingChoices, NONE, OTHER_GATE, type Choice } from './choices.ts';
import { Keys } from './keys.ts';
import { columns } from './screen.ts';
import { takenOf, takenText } from './taken.ts';
import { lines, paint } from './text.ts';
import type { DeskTask } from './tree.ts';

/** Why a view ends: the run's side has, the person left, or the terminal is gone. */
export type End = 'ended' | 'detached' | 'lost';

type OpenGate = NonNullable<ReturnType<typeof gateOf>> & { readonly track: Track };
/** How a prompt came to its end. */
type Said = { readonly said: string } | 'interrupted' | 'withdrawn';

/** A question is at most so many lines, so that the answers below it stay on the screen. */
const QUESTION_LINES_MAX = 9;

/**
 * Nobody reads a question in less, in real milliseconds. A prompt can give way to another under the fingers of somebody
 * who is typing, and a "yes" to one must not become a hard reset.
 */
const READING_MS = 700;

/** The empty line above a prompt, its message, and below its choices an empty line and the keys. */
const PROMPT_FRAME_LINES = 4;

/** Where people answer: gates one at a time, and Ctrl-C. It asks the engine and never drives. */
export class Desk {
  readonly #session: Session;
  readonly #notify: (text: string) => void;
  readonly #show: () => void;
  readonly #keys: Keys;
  /** Questions that this desk has answered or put behind others. */
  readonly #answered = new Set<string>();
  readonly #later = new Set<string>();
  #task: DeskTask | null = null;
  #open: { readonly cancel: () => void; readonly gate: string | null } | null = null;
  #facing: OpenGate | 'leaving' | null = null;
  #promptLines = 0;
  #interrupted = false;
  #end: End | null = null;
  #wake: () => void = () => undefined;

  /** `show`: what stands around a prompt is drawn with it, not at the next tick. */
  constructor(session: Session, notify: (text: string) => void, show: () => void) {
    this.#session = session;
    this.#notify = notify;
    this.#show = show;
    this.#keys = new Keys(
      (key) => (key === 'interrupt' ? this.interrupt() : void this.#goOn()),
      () => this.end('lost'),
    );
  }

  /** Works until the view ends. */
  async work(task: DeskTask): Promise<End> {
    this.#task = task;
    for (;;) {
      if (this.#end) break;
      if (this.#interrupted) await this.#leave();
      else {
        const gate = this.#nextGate();
        if (gate) await this.#ask(gate);
        else await this.#idle();
      }
    }
    this.#keys.rest();
    return this.#end;
  }

  /** State has changed: a question may have come, or have been settled by somebody else. */
  look(): void {
    const { gate, cancel } = this.#open ?? {};
    // Why it is gone is among the notices: somebody's answer, a renewal, a turn for home.
    if (cancel && gate && !this.#openGates().some((each) => keyOf(each) === gate)) cancel();
    this.#wake();
  }

  interrupt(): void {
    this.#interrupted = true;
    this.#open?.cancel();
    this.#wake();
  }

  end(end: End): void {
    this.#end ??= end;
    this.#open?.cancel();
    this.#wake();
  }

  /** What stands above an open prompt, and whether keys are read by the view itself. */
  get question(): readonly string[] {
    const facing = this.#facing;
    const width = columns() - 4;
    if (facing === null) return [];
    if (facing === 'leaving') return lines(`Now: ${this.#left()}.`, width, 3);
    const state = { ...this.#session.state(), nowMs: this.#session.clock.nowMs() };
    const [title = '', ...rest] = gateText(
      state,
      facing.track,
      facing.step,
      facing.state.note,
      this.#session.machine.index,
    ).split('\n');
    const shown = [
      ...lines(`Gate ${facing.id}: ${title}`, width, 3).map((line) => paint('bold', line)),
      ...rest.flatMap((line) => lines(line, width, 3)),
    ];
    return shown.slice(0, QUESTION_LINES_MAX);
  }

  get keys(): boolean {
    return this.#facing === null;
  }

  /** How many lines the open prompt takes, with the empty one above it. */
  get promptLines(): number {
    return this.#facing === null ? 0 : this.#promptLines;
  }

  async #idle(): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    this.#keys.listen();
    await woken;
    this.#wake = () => undefined;
  }

  async #ask(gate: OpenGate): Promise<void> {
    // Another track may come to a gate while this one is asked.
    const others = this.#session.state().tracks.filter(({ status }) => status === 'running').length > 1;
    this.#facing = gate;
    const { clock } = this.#session;
    const openedAtMs = clock.nowMs();
    const answer = await this.#prompt(
      `Answer as ${userInfo().username}`,
      gateChoices(gate.step, gate.track.kind, others, columns() - 4),
      keyOf(gate),
    );
    this.#turnAway();
    if (answer === 'interrupted') this.#interrupted = true;
    if (typeof answer === 'string' || answer.said === NONE) return;
    const nowMs = clock.nowMs();
    if (clock.realMsUntil(nowMs + nowMs - openedAtMs) < READING_MS) {
      this.#notify(`"${answer.said}" came before gate ${gate.id} can have been read: nothing was answered`);
      return;
    }
    if (answer.said === OTHER_GATE) {
      this.#later.add(keyOf(gate));
      return;
    }
    this.#answered.add(keyOf(gate));
    const refused = await this.#session.ask({
      ask: 'answer',
      gate: gate.id,
      answer: answer.said,
      by: userInfo().username,
      givenAtMs: this.#session.clock.nowMs(),
    });
    if (refused === null) return;
    this.#answered.delete(keyOf(gate));
    this.#notify(`the answer was not taken: ${refused}`);
  }

  /** Ctrl-C; once more inside it leaves at once. */
  async #leave(): Promise<void> {
    this.#interrupted = false;
    this.#facing = 'leaving';
    const session = this.#session;
    const by = userInfo().username;
    const answer = await this.#prompt(
      'Leave, or stop the run?',
      leavingChoices(session.state(), session.place.run, this.#left(), columns() - 4),
      null,
    );
    this.#turnAway();
    if (answer === 'withdrawn') return;
    switch (answer === 'interrupted' ? 'detach' : answer.said) {
      case 'detach':
        await session.ask({ ask: 'detach', by });
        return this.end('detached');
      case 'halt':
        return this.#told(await session.ask({ ask: 'halt', by }), 'halt');
      case 'unhalt':
        return this.#goOn();
      case 'abort':
        return this.#told(await session.ask({ ask: 'abort', by, reason: 'asked for at the terminal' }), 'abort');
      default:
    }
  }

  #turnAway(): void {
    this.#facing = null;
    this.#show();
  }

  async #goOn(): Promise<void> {
    if (this.#session.state().halted)
      this.#told(await this.#session.ask({ ask: 'unhalt', by: userInfo().username }), 'going on');
  }

  #told(refused: string | null, what: string): void {
    if (refused !== null) this.#notify(`${what} was not taken: ${refused}`);
  }

  async #prompt(message: string, choices: readonly Choice[], gate: string | null): Promise<Said> {
    const task = this.#task;
    if (!task) return 'withdrawn';
    this.#keys.rest();
    const described = choices.some(({ description }) => description !== undefined);
    this.#promptLines = PROMPT_FRAME_LINES + choices.length + (described ? DESCRIPTION_LINES_MAX : 0);
    this.#show();
    const adapter = task.prompt(ListrInquirerPromptAdapter);
    this.#open = { cancel: () => adapter.cancel(), gate };
    const theme = { i18n: { disabledError: 'This line is no answer: move to one of the others first.' } };
    try {
      const said: unknown = await adapter.run(select<string>, {
        message,
        choices: [...choices],
        loop: false,
        pageSize: choices.length,
        theme,
      });
      return { said: String(said) };
    } catch (error) {
      return error instanceof Error && error.name === 'ExitPromptError' ? 'interrupted' : 'withdrawn';
    } finally {
      this.#open = null;
      // A prompt that was cancelled stays on listr2's screen until the task says that it is over.
      task.task.state$ = ListrTaskState.PROMPT_COMPLETED;
      task.task.state = ListrTaskState.STARTED;
      this.#keys.listen();
    }
  }

  #nextGate(): OpenGate | null {
    const open = this.#openGates();
    const fresh = open.filter((gate) => !this.#later.has(keyOf(gate)));
    if (fresh.length === 0) this.#later.clear();
    return fresh[0] ?? open[0] ?? null;
  }

  #openGates(): OpenGate[] {
    const session = this.#session;
    return session.state().tracks.flatMap((track) => {
      const gate = gateOf(track, session.machine.index);
      if (!gate) return [];
      return gate.state.phase === 'asked' && !this.#answered.has(keyOf({ ...gate, track })) ? [{ ...gate, track }] : [];
    });
  }

  /** What is taken now and how long the fuse burns: what whoever leaves leaves behind. */
  #left(): string {
    const { machine, clock } = this.#session;
    const state = this.#session.state();
    const burnsMs = state.fuse ? state.fuse.expiresAtMs - clock.nowMs() : null;
    const burns = burnsMs === null ? '' : burnsMs > 0 ? `; fuse ${duration(burnsMs)}` : '; the fuse has burnt down';
    return `${takenText(takenOf(state, machine), machine)}${burns}`;
  }
}

/** One asking of one gate: after a renewal or a stale answer it is another. */
function keyOf({ id, state, track }: OpenGate): string {
  return `${id}#${track.renewals}.${state.asks}`;
}
