/**
 * The order of servers that are equally urgent: each failure domain is spread evenly over the whole, so that any
 * stretch of it holds about as much of a domain as the fleet does. What is left open, chance decides, by the seed.
 */
export function interleaved<S extends { readonly name: string; readonly domain: string }>(
  servers: readonly S[],
  seed: number,
): readonly S[] {
  const domains = new Map<string, S[]>();
  for (const server of [...servers].sort(
    (a, b) => hashOf(a.name, seed) - hashOf(b.name, seed) || (a.name < b.name ? -1 : 1),
  )) {
    const members = domains.get(server.domain);
    if (members === undefined) domains.set(server.domain, [server]);
    else members.push(server);
  }
  return [...domains.entries()]
    .flatMap(([domain, members]) =>
      members.map((server, k) => ({ server, domain, place: (k + 0.5) / members.length, chance: hashOf(domain, seed) })),
    )
    .sort((a, b) => a.place - b.place || a.chance - b.chance || (a.domain < b.domain ? -1 : 1))
    .map((entry) => entry.server);
}

/**
 * A 32-bit number out of a text and a seed: FNV-1a, mixed by the finaliser of MurmurHash3 (A. Appleby, public domain).
 * For order only, never for secrets.
 */
export function hashOf(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ (seed | 0);
  for (let k = 0; k < text.length; k++) h = Math.imul(h ^ text.charCodeAt(k), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
