import type { buildConnector } from 'undici';
import { Client, buildConnector as connectorOf } from 'undici';
import type { Json } from '../model/index.ts';
import { FailureError } from '../model/index.ts';
import type { HttpAnswer } from '../ports/index.ts';
import { BODY_BYTES } from './limits.ts';

export interface GetOptions {
  /** Whose request it is, for messages. */
  readonly where: string;
  /** Real milliseconds from the call to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One GET. Any status is an answer, also a redirect: none is followed. At most 256 KiB of the body are kept. Rejects
 * with `unreachable` (no connection), `timeout` or `lost`.
 */
export function httpGet(url: string, options: GetOptions): Promise<HttpAnswer> {
  return request('GET', url, options, undefined);
}

/** One request that changes something. Sent once: after `timeout` and `lost` nobody knows whether it took effect. */
export function httpSend(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  body: Json | undefined,
  options: GetOptions,
): Promise<HttpAnswer> {
  return request(method, url, options, body);
}

async function request(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  options: GetOptions,
  body: Json | undefined,
): Promise<HttpAnswer> {
  const { origin, pathname, search } = new URL(url);
  let connected = false;
  const connect = connectorOf({ timeout: options.timeoutMs });
  // A connection of its own for each request: what it tells of a server is about this moment, and a stale connection
  // cannot leave a change in doubt.
  const client = new Client(origin, {
    connect: (to: buildConnector.Options, callback: buildConnector.Callback) =>
      connect(to, (...result: Parameters<buildConnector.Callback>) => {
        connected = result[0] === null;
        callback(...result);
      }),
  });
  const signal = AbortSignal.timeout(options.timeoutMs);
  const fromMs = performance.now();
  try {
    const headers = {
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    };
    const answer = await client.request({
      method,
      path: pathname + search,
      headers,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await readBody(answer.body);
    return { status: answer.statusCode, body: text, tookMs: performance.now() - fromMs };
  } catch (error) {
    throw httpFailure(method, url, options, connected, signal.aborted, error);
  } finally {
    client.destroy().catch(() => undefined);
  }
}

async function readBody(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, BODY_BYTES - bytes));
    bytes += chunk.length;
    if (bytes >= BODY_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function httpFailure(
  method: string,
  url: string,
  options: GetOptions,
  connected: boolean,
  late: boolean,
  cause: unknown,
): FailureError {
  const { origin, pathname } = new URL(url);
  // The query may hold a token: it stays out of messages.
  const call = `${method} ${origin}${pathname}`;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'no answer';
  const sent = method === 'GET' ? 'Nothing was changed' : 'It may have taken effect or not';
  const remedy = `Try it by hand: curl -v -m 10 ${origin}${pathname}`;
  const { where } = options;
  if (!connected)
    return new FailureError(
      {
        kind: 'unreachable',
        what: late ? `${call} had no connection within ${options.timeoutMs} ms` : `${call} had no connection (${code})`,
        where,
        state: 'Nothing was sent',
        remedy,
      },
      { cause },
    );
  if (late)
    return new FailureError(
      { kind: 'timeout', what: `${call} had no answer within ${options.timeoutMs} ms`, where, state: sent, remedy },
      { cause },
    );
  return new FailureError(
    { kind: 'lost', what: `${call} was cut off (${code})`, where, state: sent, remedy },
    { cause },
  );
}
