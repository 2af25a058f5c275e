// Registers the resolve hook and does nothing else: for `node --import`, in every process that loads a runbook.
import { registerHooks } from 'node:module';
import { resolve } from './resolve.js';

registerHooks({ resolve });
