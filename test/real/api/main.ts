import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigCache } from './cache.ts';
import { Configuration } from './configuration.ts';
import { serveControl } from './control.ts';
import { Service } from './service.ts';
import type { ApiSettings } from './settings.ts';

/** A small real API process: one of these serves on every server of the test fleet. */

const BOOTED_FLAG = '/srv/api/state/booted';
/** Traffic would refresh an expired cache; there is none here, so the process does so itself while it is online. */
const UPKEEP_EVERY_MS = 250;

const settings = JSON.parse(readFileSync(new URL('settings.json', import.meta.url), 'utf8')) as ApiSettings;
const cache = new ConfigCache(settings);
const configuration = new Configuration(settings.configurationFiles);
const service = new Service(settings, cache, configuration);

// Only the first start finds a cache in use: after a reset it is cold.
if (!existsSync(BOOTED_FLAG)) {
  writeFileSync(BOOTED_FLAG, '');
  cache.fillAsIfLongInUse();
}
process.on('SIGHUP', () => {
  configuration.load();
});
setInterval(() => {
  if (!service.offline && !cache.fresh) cache.refresh().catch(() => undefined);
}, UPKEEP_EVERY_MS);
createServer((request, response) => void serve(request, response)).listen(8080);
writeFileSync('/run/api.pid', String(process.pid));
serveControl(service, 8081);

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body } = await answer(request);
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${body}\n`);
}

async function answer({ url, headers }: IncomingMessage): Promise<{ status: number; body: string }> {
  if (url === '/health') return { status: 200, body: `${settings.name} lives` };
  if (url === '/') return { status: 200, body: service.anonymous() };
  if (url !== '/mail') return { status: 404, body: 'no such page' };
  if (headers.authorization === undefined) return { status: 401, body: 'log in first' };
  try {
    return { status: 200, body: await service.mail() };
  } catch (error) {
    return { status: 503, body: error instanceof Error ? error.message : String(error) };
  }
}
