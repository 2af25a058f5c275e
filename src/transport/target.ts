/** Where an SSH server is and how to log in there, with nothing left to look up. */
export interface SshTarget {
  /** The server's name in the fleet, or the jump host's in the SSH configuration: what messages call it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Private keys, tried in this order; files that do not exist are passed over. */
  readonly identityFiles: readonly string[];
  /** Only those of the agent's keys that belong to an identity file. */
  readonly identitiesOnly: boolean;
  /** The socket of an SSH agent. */
  readonly agent: string | null;
  readonly knownHostsFiles: readonly string[];
  /** The name that its key is known by (`HostKeyAlias`); null: its host and port. */
  readonly hostKeyName: string | null;
  /** The jump host in front of it, which may have one in front of itself. */
  readonly jump: SshTarget | null;
  readonly connectTimeoutMs: number;
}
