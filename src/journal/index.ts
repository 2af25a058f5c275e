/**
 * Events on disk: the only truth about a run. What is acknowledged here survives the engine, the terminal and the
 * power; what is not is unknown. One file a run, one owner at a time.
 */
export { Auditor, type Audit, type AuditFlaw } from './audit.ts';
export { verifyChain, type ChainCheck } from './chain.ts';
export { JournalFailure } from './failure.ts';
export { auditExport, exportedRun, exportLines, type Exported } from './export.ts';
export { anchorsIn, headText, parseAnchor, shortHeadText, type Anchor, type Head } from './head.ts';
export {
  createJournal,
  openJournal,
  readJournal,
  readStoredRows,
  restoreJournal,
  toStored,
  type JournalOptions,
  type OwnedJournal,
} from './journal.ts';
export type { StoredRow } from './link.ts';
export {
  directoryMirror,
  isRunName,
  isSameFilesystem,
  mirrorPlace,
  openMirror,
  readMirrorRows,
  shellMirror,
  type Mirror,
  type MirrorPlace,
  type MirrorStore,
} from './mirror/index.ts';
export { openSmallDatabase, type SmallDatabase } from './small-database.ts';
export type { TroubleReason } from './trouble.ts';
