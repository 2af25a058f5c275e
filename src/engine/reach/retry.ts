import { FailureError } from '../../model/index.ts';

/**
 * Tries a read once more when its connection was lost: one that a reboot cut off shows only when it is used. Never
 * for a change, whose effect would be in doubt.
 */
export async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FailureError && error.failure.kind === 'lost') return read();
    throw error;
  }
}
