import type { ReadCall, Server, WriteCall } from './fleet.ts';
import type { TimeAt } from './reading.ts';

type Clock = Server['service']['clocks'][number];
type ClockRead = NonNullable<Clock['read']>;
type Offline = Server['service']['offline'];
type Unit = 'ms' | 's' | 'min';

interface Call {
  readonly timeoutMs?: number;
  readonly become?: boolean;
}

/**
 * How clocks are read, for a fleet file: `read: reading.fileAge({ path })`. Each is a call as the fleet file could have
 * it by hand, with what its answer means and where it comes from.
 */
export const reading = {
  /**
   * A key of Redis or Valkey, by `redis-cli` on the server. A password comes from the server's environment
   * (REDISCLI_AUTH), never from here. A cache that servers share is one clock: give its `shared` the same name.
   */
  redisTtl({ host, port = 6379, key, ...call }: Call & { host: string; port?: number; key: string }): ClockRead {
    return {
      run: `redis-cli -h ${quoted(host)} -p ${port} PTTL ${quoted(key)}`,
      ...only(call),
      gives: { left: { at: null, unit: 'ms' }, absent: [-2], never: [-1] },
      source: cut(`redis ${host}:${port} ${key}`),
    };
  },
  /** The age of a file, by the server's own clock. */
  fileAge({ path, ...call }: Call & { path: string }): ClockRead {
    return {
      run: `test -e ${quoted(path)} && printf '{"setAt":%s,"now":%s}' "$(stat -c %Y -- ${quoted(path)})" "$(date +%s)"`,
      ...only(call),
      gives: { setAt: { at: 'setAt', unit: 's' }, now: { at: 'now', unit: 's' }, absent: [], never: [] },
      source: cut(`file ${path}`),
    };
  },
  /** JSON over HTTP, asked from the machine that neap runs on: which field is what, in which unit. */
  http({ url, unit, timeoutMs, ...fields }: Omit<Call, 'become'> & Fields & { url: string; unit: Unit }): ClockRead {
    return { get: url, ...only({ timeoutMs }), gives: givesOf(fields, unit), source: cut(`http ${url.split('?')[0]}`) };
  },
  /** A command on the server that prints JSON, or one number where the field is `null`. */
  command({ run, unit, timeoutMs, become, ...fields }: Call & Fields & { run: string; unit: Unit }): ClockRead {
    return { run, ...only({ timeoutMs, become }), gives: givesOf(fields, unit), source: cut(`command ${run}`) };
  },
  /** One sample of an instant query, asked from the machine that neap runs on; an older one than `staleMs` is no reading. */
  prometheus({
    url,
    query,
    is,
    unit,
    staleMs = 60_000,
    timeoutMs = 5_000,
  }: {
    url: string;
    query: string;
    is: 'age' | 'left' | 'setAt' | 'expiresAt';
    unit: Unit;
    staleMs?: number;
    timeoutMs?: number;
  }): ClockRead {
    const gives = { [is]: { at: null, unit }, absent: [], never: [] };
    return { prometheus: url, query, staleMs, timeoutMs, gives, source: cut(`prometheus ${query}`) };
  },
} as const;

/** How offline mode is switched, for a fleet file: `offline: offlineSwitch.flagFile({ path })`. */
export const offlineSwitch = {
  /** The service is offline while this file is there, as `/run/mail/offline`. */
  flagFile({ path, ...call }: Call & { path: string }): Offline {
    const file = quoted(path);
    return {
      read: { run: `if test -e ${file}; then echo on; else echo off; fi`, ...only(call) },
      on: { run: `: > ${file}`, ...only(call) },
      off: { run: `rm -f -- ${file}`, ...only(call) },
    };
  },
  /** A switch over HTTP, asked from the machine that neap runs on. `field` of the answer to a GET says `on` or `off`. */
  http({
    url,
    field,
    on,
    off,
    method = 'PUT',
    timeoutMs,
  }: {
    url: string;
    field: string;
    on: NonNullable<Extract<WriteCall, { send: string }>['body']>;
    off: NonNullable<Extract<WriteCall, { send: string }>['body']>;
    method?: 'POST' | 'PUT' | 'PATCH';
    timeoutMs?: number;
  }): Offline {
    const limit = only({ timeoutMs });
    return {
      read: { get: url, field, ...limit },
      on: { send: url, method, body: on, ...limit },
      off: { send: url, method, body: off, ...limit },
    };
  },
  /** Three commands on the server: one prints `on` or `off`, the others switch. */
  command({ read, on, off, ...call }: Call & { read: string; on: string; off: string }): Offline {
    const limit = only(call);
    return { read: { run: read, ...limit }, on: { run: on, ...limit }, off: { run: off, ...limit } };
  },
} as const;

/** Where each time lies in an answer; `null`: the answer is that number. */
interface Fields {
  readonly age?: string | null;
  readonly left?: string | null;
  readonly setAt?: string | null;
  readonly expiresAt?: string | null;
  readonly now?: string;
  readonly ttl?: string;
}

function givesOf(fields: Fields, unit: Unit): NonNullable<ClockRead['gives']> {
  const time = (at: string | null | undefined): TimeAt | undefined => (at === undefined ? undefined : { at, unit });
  const { age, left, setAt, expiresAt, now, ttl } = fields;
  return {
    age: time(age),
    left: time(left),
    setAt: time(setAt),
    expiresAt: time(expiresAt),
    now: time(now),
    ttl: time(ttl),
    absent: [],
    never: [],
  };
}

/** As one word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function only(call: {
  readonly timeoutMs?: number | undefined;
  readonly become?: boolean | undefined;
}): Pick<Extract<ReadCall, { run: string }>, 'timeoutMs' | 'become'> {
  return {
    ...(call.timeoutMs === undefined ? {} : { timeoutMs: call.timeoutMs }),
    ...(call.become === undefined ? {} : { become: call.become }),
  };
}

function cut(source: string): string {
  return source.slice(0, 120);
}
