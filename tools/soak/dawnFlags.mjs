// Loaded into test processes with `--import`: disables the features of Dawn that PADAGRAD_DAWN_DISABLED names, in every instance.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';

const DISABLE = 'disable-dawn-features=';
const features = process.env.PADAGRAD_DAWN_DISABLED;
if (features) {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('webgpu'));
  // The package's module takes `create` from here when it is loaded, which is later.
  const native = require(join(folder, 'dist', `${process.platform}-${process.arch}`, 'dawn.node'));
  const { create } = native;
  native.create = (flags) => {
    const own = flags.filter((flag) => flag.startsWith(DISABLE)).map((flag) => flag.slice(DISABLE.length));
    return create([...flags.filter((flag) => !flag.startsWith(DISABLE)), DISABLE + [...own, features].join(',')]);
  };
}
