import type { Command } from 'commander';
import type { UpOptions } from './lab.ts';

type Done = (exitCode: number) => void;

/** The commands about the embedded lab. */
export function addLabCommands(program: Command, done: Done): void {
  program
    .command('demo')
    .description('1 February 2021 on the embedded lab, as neap would have it')
    .option('--keep', 'leave the lab running afterwards')
    .addHelpText('after', '\nExample:\n  neap demo')
    .action(async (options: { readonly keep?: boolean }) => done(await (await import('./demo.ts')).demo(options)));
  const lab = program.command('lab').description('a simulated fleet that speaks real protocols, on this machine only');
  lab
    .command('up')
    .description('start a lab; prints where its fleet file lies')
    .option('--servers <n>', 'how many API servers', '12')
    .option('--time-lapse <x>', 'lab seconds in a real second', '1')
    .option(
      '--scenario <name>',
      'healthy, feb-2021, half-applied, dead-server, dead-fleet, bmc-down, partition, synchronised, canary-takes-all or few-connections',
      'feb-2021',
    )
    .option('--name <name>', 'a name of its own')
    .option('--seed <n>', 'the same seed gives the same lab')
    .option('--ttl <min-max>', 'time to live of caches in seconds', '180-240')
    .option('--ttl-drawn <when>', 'per-server or per-refresh', 'per-server')
    .option('--detach', 'return once every server answers')
    .addHelpText('after', '\nExample:\n  neap lab up --servers 40 --time-lapse 20 --scenario feb-2021 --detach')
    .action(async (options: UpOptions) => done(await (await import('./lab.ts')).up(options)));
  lab
    .command('down [name]')
    .description('end a lab, or with --all every one')
    .option('--all', 'every lab')
    .addHelpText('after', '\nExample:\n  neap lab down --all')
    .action(async (name: string | undefined, options: { readonly all?: boolean }) =>
      done(await (await import('./lab.ts')).down(name, options)),
    );
  lab
    .command('tell <what> [rest...]')
    .description(
      'what a lab is told: database away|back|refuse|hang, hang SERVER, half-apply SERVER, page on|off, slow MS, connections N, skip 72h, status, record',
    )
    .option('--name <name>', 'which lab, if several run')
    .addHelpText('after', '\nExample:\n  neap lab tell database away')
    .action(async (what: string, rest: readonly string[], options: { readonly name?: string }) =>
      done(await (await import('./lab.ts')).tell(what, rest, options)),
    );
}
