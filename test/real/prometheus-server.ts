import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './plain-sshd.ts';

/** A Prometheus of its own on the loopback, which scrapes one exporter each second. */
export interface RealPrometheus extends AsyncDisposable {
  readonly url: string;
  /** What the exporter says from now on; null: it does not listen. */
  export(metrics: string | null): Promise<void>;
  /** As a crash does it. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** The value of an instant query, or null where it has none. */
  ask(query: string): Promise<string | null>;
}

/** What is missing here for a real Prometheus; null: nothing. */
export function lacksPrometheus(): string | null {
  const found = ['/usr/bin/prometheus', '/usr/local/bin/prometheus'].some((path) => existsSync(path));
  return found ? null : 'prometheus (apt-get install prometheus)';
}

export async function startPrometheus(): Promise<RealPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'neap-prometheus-'));
  const exporter = new Exporter();
  await exporter.say('up_to_date 1\n');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    `scrape_configs:\n  - job_name: it\n    scrape_interval: 1s\n    scrape_timeout: 1s\n    static_configs:\n      - targets: ['127.0.0.1:${exporter.port}']\n`,
  );
  let server: ChildProcess | null = null;
  const up = async (): Promise<void> => {
    const words = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ];
    server = spawn('prometheus', words, { stdio: 'ignore' });
    await until(
      async () => (await fetch(`${url}/-/ready`).catch(() => null))?.status === 200,
      'Prometheus is not ready',
    );
  };
  const down = async (): Promise<void> => {
    const running = server;
    server = null;
    if (running === null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  };
  await up();
  return {
    url,
    up,
    down,
    export: (metrics) => exporter.say(metrics),
    ask: async (query) => {
      const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
      const { data } = (await answer.json()) as { data?: { result: { value: [number, string] }[] } };
      return data?.result[0]?.value[1] ?? null;
    },
    [Symbol.asyncDispose]: async () => {
      await down();
      await exporter.say(null);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One port on which metrics are told, or nobody listens. */
class Exporter {
  #metrics = '';
  #server: ReturnType<typeof createServer> | null = null;
  port = 0;

  async say(metrics: string | null): Promise<void> {
    if (metrics === null) {
      const server = this.#server;
      this.#server = null;
      server?.closeAllConnections();
      await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
      return;
    }
    this.#metrics = metrics;
    if (this.#server) return;
    this.#server = createServer((_request, response) => response.end(this.#metrics));
    await new Promise<void>((resolve) => this.#server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }
}

/** Asks again until it holds; gives up after half a minute. */
export async function until(holds: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (const deadlineMs = Date.now() + 30_000; Date.now() < deadlineMs;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(otherwise);
}
