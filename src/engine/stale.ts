import { FailureError } from '../model/index.ts';

/** Other code than the plan was made with is another plan (exit 6). */
export class StalePlan extends FailureError {}
