// Builds the page to host anywhere: `node tools/buildPage.mjs [FOLDER]`.
import { asked } from './asked.mjs';
import { buildAndWeigh, isForeign } from './page/build.mjs';

const { positionals, refuse } = asked('npm run build:page -- [FOLDER]', { allowPositionals: true });
if (positionals.length > 1) refuse(`page: one folder at most, but here are ${positionals.join(', ')}`);
const [folder = '.build/page'] = positionals;
if (isForeign(folder))
  refuse(`page: ${folder} holds something else; name a new folder, an empty one or one of this page`);
await buildAndWeigh(folder);
