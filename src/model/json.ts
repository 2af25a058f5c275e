import { z } from 'zod';

/** What plans, events and effects are made of: nothing here can hold a function, a date or a class. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

/** Any JSON value, as readonly data. */
export const jsonSchema = z.json() as unknown as z.ZodType<Json>;
