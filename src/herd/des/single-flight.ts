import type { Done, Service } from './service.ts';

/**
 * One request a key at a time: whoever asks for a key that is being fetched waits for that answer and gets it too,
 * whatever it is. It spares the service behind it a stampede; where that does not answer, everybody waits as before.
 */
export function singleFlight(service: Service): Service {
  const flights = new Map<number, Done[]>();
  return (key, done) => {
    const followers = flights.get(key);
    if (followers !== undefined) {
      followers.push(done);
      return;
    }
    const waiting: Done[] = [done];
    flights.set(key, waiting);
    service(key, (outcome) => {
      flights.delete(key);
      for (const tell of waiting) tell(outcome);
    });
  };
}
