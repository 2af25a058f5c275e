import { shellWords } from './words.ts';

/** What a command under sudo says first, on its standard error: that it began. No words of sudo's need be understood. */
export const BEGAN = 'neap: began\n';

/** The command under `sudo -n`, which never asks for a password. */
export function sudoCommand(command: string): string {
  return `sudo -n -- sh -c ${shellWords([`echo "${BEGAN.trim()}" >&2\n${command}`])}`;
}
