// The text of every WGSL file by its path. tools/page/build.mjs generates this module.
declare module 'lab:sources' {
  export const sources: Readonly<Record<string, string>>;
}
