/**
 * Events on disk: the only truth about a run. What is acknowledged here survives the engine, the terminal and the
 * power; what is not is unknown. One file a run, one owner at a time, and a registry of who holds which servers.
 */
export { verifyChain, type ChainCheck } from './chain.ts';
export { JournalFailure } from './failure.ts';
export { createJournal, openJournal, readJournal, type JournalOptions, type OwnedJournal } from './journal.ts';
export { openRegistry, type ClaimAnswer, type Registry } from './registry.ts';
export type { TroubleReason } from './trouble.ts';
