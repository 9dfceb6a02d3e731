// Shaders are imported as text; build.mjs loads them.
declare module '*.wgsl' {
  const source: string;
  export default source;
}
