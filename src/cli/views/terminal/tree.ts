import { Listr, ListrTaskEventType, ListrTaskState, type ListrTaskObject, type ListrTaskWrapper } from 'listr2';
import type { Shown } from './fit.ts';
import { marks, Pulse, Screen } from './screen.ts';

type Factory = typeof Screen;
type Task = ListrTaskObject<object, Factory, Factory>;
/** The task that asks: it has no line of its own, and what it prints stands below the tree. */
export type DeskTask = ListrTaskWrapper<object, Factory, Factory>;

/**
 * The tree of a run on a terminal: one listr2 task a step, which only shows. No task does anything, save the desk,
 * which has the prompts and lives as long as the view.
 */
export class Tree {
  readonly #root: Listr<object, Factory, Factory>;
  readonly #tasks = new Map<string, Task>();
  readonly #lists = new Map<string, Listr<object, Factory, Factory>>();
  #desk: DeskTask | null = null;

  /** `tick` is called before each repaint: it says what there is to see, by `show`. */
  constructor(tick: () => void) {
    this.#root = new Listr<object, Factory, Factory>([], {
      concurrent: true,
      exitOnError: false,
      // Its own SIGINT handler ends the process with 127.
      registerSignalListeners: false,
      renderer: Screen,
      fallbackRenderer: Screen,
      rendererOptions: {
        spinner: new Pulse(tick),
        formatOutput: 'truncate',
        collapseSubtasks: false,
        collapseErrors: false,
      },
    });
  }

  /** Shows until `work` at the desk has ended; the tree stays as it was shown last. */
  async run(work: (desk: DeskTask) => Promise<void>): Promise<void> {
    this.#root.add({
      task: async (_, desk) => {
        this.#desk = desk as DeskTask;
        await work(this.#desk);
      },
    });
    await this.#root.run();
  }

  show(rows: readonly Shown[], foot: readonly string[]): void {
    const shown = new Map<Task[], Task[]>([
      [this.#root.tasks, this.#root.tasks.filter((task) => task === this.#desk?.task)],
    ]);
    for (const row of rows) {
      const list = this.#list(row.parent).tasks;
      const task = this.#task(row);
      // Set without an event: the next repaint takes it in with all others.
      task.title = [row.text, ...row.details].join('\n');
      marks.set(task, row.mark);
      shown.set(list, [...(shown.get(list) ?? []), task]);
    }
    // Rows come and go with the room there is; the renderer has these very arrays.
    for (const [list, tasks] of shown) list.splice(0, list.length, ...tasks);
    this.#desk?.task.emit(ListrTaskEventType.OUTPUT, foot.join('\n'));
  }

  #task({ key, parent, text }: Shown): Task {
    const known = this.#tasks.get(key);
    if (known) return known;
    const list = this.#list(parent);
    list.add({ title: text, task: () => undefined });
    const task = list.tasks.at(-1);
    if (!task) throw new Error('listr2 did not add the task');
    // Lets it be seen; it is never run.
    void task.check({});
    task.state = ListrTaskState.STARTED;
    this.#tasks.set(key, task);
    return task;
  }

  #list(parent: string | null): Listr<object, Factory, Factory> {
    const above = parent === null ? undefined : this.#tasks.get(parent);
    if (parent === null || !above) return this.#root;
    const known = this.#lists.get(parent);
    if (known) return known;
    const list = new Listr<object, Factory, Factory>([], {}, above);
    above.subtasks = list.tasks;
    this.#lists.set(parent, list);
    return list;
  }
}
