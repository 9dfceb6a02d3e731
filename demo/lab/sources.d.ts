// Every kernel's file as it is in the repository, by its path; tools/page/build.mjs makes this module.
declare module 'lab:sources' {
  export const sources: Readonly<Record<string, string>>;
}
