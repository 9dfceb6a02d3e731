// One edit per entry: `from` occurs exactly once in `file`; with `to` in its place one of `tests` must fail.
// `equivalent` gives the reason why an edit changes nothing that can be observed.
export default [
  { file: 'shaders/tanh.wgsl', from: '1.0 - y * y', to: '1.0 - y', tests: ['ops/tanh'] },
  { file: 'shaders/sub.wgsl', from: 'return -1.0', to: 'return 1.0', tests: ['ops/sub'] },
];
