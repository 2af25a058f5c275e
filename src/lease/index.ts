/**
 * Which run holds which servers, so that one engine acts on a server at a time: kept in a file of this machine, in a
 * directory on a host that all operators share, or in PostgreSQL.
 */
export { localClaims, openLocalStore } from './local.ts';
export { openPostgresStore } from './postgres.ts';
export { openSshStore } from './ssh.ts';
