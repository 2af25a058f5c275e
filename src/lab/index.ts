/**
 * A simulated fleet that speaks real protocols, in a process of its own: SSH, HTTP and Redfish on the loopback, over
 * the model in src/herd. It runs nothing of this machine and knows nothing of runs.
 */
export { labDown, labList, labRecord, labUp, tellLab, type LabWish } from './client.ts';
export { startLab, type Lab } from './lab.ts';
export type { LabFile } from './lab-file.ts';
export { scenarioSchema, type LabOptions, type LabOptionsInput, type Scenario } from './options.ts';
export type { RecordEntry } from './record.ts';
export type { LabAnswer, LabCommand, LabStatus } from './tell.ts';
