import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDatabase } from './database.ts';
import type { Service } from './service.ts';

const RELOAD_LIMIT_MS = 5_000;

/** What `apictl` speaks to: one command a connection, answered by an exit code on a line and then text. */
export function serveControl(service: Service, port: number): void {
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).once('line', (line) => void answer(service, line, socket));
  }).listen(port, '127.0.0.1');
}

async function answer(service: Service, command: string, socket: Socket): Promise<void> {
  try {
    socket.end(`0\n${await obey(service, command)}\n`);
  } catch (error) {
    socket.end(`1\n${error instanceof Error ? error.message : String(error)}\n`);
  }
}

async function obey(service: Service, command: string): Promise<string> {
  const [generation] = /(?<=^await-generation )\d+$/.exec(command) ?? [];
  if (generation !== undefined) return awaitGeneration(service, Number(generation));
  switch (command) {
    case 'offline on':
      await service.goOffline();
      return 'on';
    case 'offline off':
      service.goOnline();
      return 'off';
    case 'offline status':
      return service.offline ? 'on' : 'off';
    case 'cache status':
      return JSON.stringify(service.cache.status());
    case 'cache refresh':
      await service.cache.refresh();
      return JSON.stringify(service.cache.status());
    case 'database ping':
      await askDatabase(service.settings, 'ping');
      return 'answers';
    case 'running':
      return service.configuration.held();
    case 'generation':
      return String(service.configuration.generation);
    default:
      throw new Error(`unknown command: ${command}`);
  }
}

async function awaitGeneration(service: Service, generation: number): Promise<string> {
  const untilMs = performance.now() + RELOAD_LIMIT_MS;
  while (service.configuration.generation < generation) {
    if (performance.now() > untilMs) throw new Error('the configuration was not reloaded');
    await sleep(10);
  }
  return 'reloaded';
}
