/** Copies of journals elsewhere: where they are, how they are kept supplied, and what can be read back from them. */
export { directoryMirror, isSameFilesystem } from './directory.ts';
export { readMirrorRows, type MirrorRead } from './lines.ts';
export { openMirror, type Mirror, type MirrorInput } from './mirror.ts';
export { isRunName, mirrorPlace, type MirrorPlace } from './place.ts';
export { shellMirror } from './shell.ts';
export type { MirrorStore } from './store.ts';
