/** How a server is reached: commands and files over SSH, requests over HTTP. */
export * from './deadline.ts';
export * from './fence.ts';
export * from './files.ts';
export { keyFingerprint } from './fingerprint.ts';
export { openJumps } from './jump.ts';
export type { Jumps } from './jump.ts';
export * from './http.ts';
export { openAddressBook } from './openssh-config.ts';
export type { AddressBook } from './openssh-config.ts';
export * from './pace.ts';
export * from './redactor.ts';
export * from './sanitise.ts';
export * from './ssh.ts';
export type { SshTarget } from './target.ts';
export * from './words.ts';
