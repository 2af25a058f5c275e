import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** How an address behaves towards the outside. */
export type Manner = 'answers' | 'silent' | 'refuses';

/** One listening address, whose manner follows the model. */
export interface Link {
  readonly port: number;
  /** Looks at the manner again, and treats open connections as it says. */
  follow(): void;
  close(): void;
}

/** Held connections of a silent server; beyond it they are dropped. */
const MAX_SOCKETS = 2_000;

/**
 * Listens on a loopback port of the system's choice. An answering server hands connections on. A silent one lets them
 * connect and never says a word, and its open ones fall silent too, without an end. A refusing one resets them.
 */
export async function openLink(manner: () => Manner, onSocket: (socket: Socket) => void): Promise<Link> {
  const sockets = new Set<Socket>();
  let last = manner();
  const server = createServer({ noDelay: true }, (socket) => {
    follow();
    if (last === 'refuses' || sockets.size >= MAX_SOCKETS) {
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that goes away is its own affair; without a listener it would end the lab.
    socket.on('error', () => socket.destroy());
    if (last === 'silent') silence(socket);
    else onSocket(socket);
  });
  const follow = (): void => {
    const now = manner();
    if (now === last) return;
    last = now;
    for (const socket of sockets) {
      if (now === 'silent') silence(socket);
      else socket.resetAndDestroy();
    }
  };
  const port = await listen(server);
  return {
    port,
    follow,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Listens on a loopback port that the system chooses, and says which. Rejects with the system's own error. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** What comes in is thrown away, nothing leaves, and the connection stays until the other side ends it. */
function silence(socket: Socket): void {
  socket.removeAllListeners('data');
  socket.resume();
  socket.cork();
}
