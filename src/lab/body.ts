import type { IncomingMessage } from 'node:http';

/** No request to a lab is larger. */
const MAX_BODY_BYTES = 64 * 1024;

/** The JSON object that a request carries; an empty one where it carries nothing, null where it is not one or too large. */
export async function jsonBody(incoming: IncomingMessage): Promise<Readonly<Record<string, unknown>> | null> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  if (sizeBytes === 0) return {};
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}

/** The path that a request asks for, without its query. */
export function pathOf(incoming: IncomingMessage): string {
  return (incoming.url ?? '/').replace(/\?.*$/, '');
}
