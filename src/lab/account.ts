/** The account that the lab's servers and BMCs let in. */
export const LAB_USER = 'neap';
