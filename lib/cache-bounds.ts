/** How much is remembered of tenants by name, in each place that remembers something. */

/**
 * For lru-cache: ten thousand names. Not as its `max`, for which it lays out all of that room at once: five times, ten
 * milliseconds of each start.
 */
export const CACHE_BOUNDS = { maxSize: 10_000, sizeCalculation: () => 1 } as const
