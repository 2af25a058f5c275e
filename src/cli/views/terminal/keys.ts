const CTRL_C = '\u0003';

/**
 * The keyboard while no prompt has it: raw, so that nothing that is typed spoils the screen, and Ctrl-C is a key and
 * not a signal.
 */
export class Keys {
  readonly #pressed: (key: 'interrupt' | 'go-on') => void;
  readonly #lost: () => void;
  #listening = false;

  /** `lost`: the terminal is gone. */
  constructor(pressed: (key: 'interrupt' | 'go-on') => void, lost: () => void) {
    this.#pressed = pressed;
    this.#lost = lost;
  }

  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    process.stdin.setRawMode(true);
    process.stdin.on('data', this.#read).on('end', this.#lost).on('error', this.#lost);
    process.stdin.resume();
  }

  /** Gives the keyboard to somebody else; `listen` takes it back. */
  rest(): void {
    if (!this.#listening) return;
    this.#listening = false;
    process.stdin.off('data', this.#read).off('end', this.#lost).off('error', this.#lost);
    try {
      process.stdin.setRawMode(false);
    } catch {
      // The terminal is gone: there is nothing to put back.
    }
    process.stdin.pause();
  }

  readonly #read = (typed: Buffer): void => {
    const text = typed.toString();
    if (text.includes(CTRL_C)) this.#pressed('interrupt');
    else if (text === 'g') this.#pressed('go-on');
  };
}
