// The text of every WGSL file by its path. tools/page/build.mjs generates this module.
declare module 'lab:sources' {
  export const sources: Readonly<Record<string, string>>;
}

// Where the page comes from. tools/page/build.mjs generates this module.
declare module 'lab:origin' {
  /** The commit that the page was built from; null outside a clone. */
  export const commit: string | null;
  /** The address of the repository in package.json; null if it has none. */
  export const repository: string | null;
}
