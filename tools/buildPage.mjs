// Builds the page as static files for any web server: `npm run build:page -- [FOLDER]`.

import { buildAndWeigh, isForeign } from './page/build.mjs';
import { readArgs } from './readArgs.mjs';

const { positionals, refuse } = readArgs('npm run build:page -- [FOLDER]', { allowPositionals: true });
if (positionals.length > 1) refuse(`page: expected one folder but got ${positionals.join(', ')}`);
const [folder = '.build/page'] = positionals;
if (isForeign(folder)) refuse(`page: ${folder} is not empty; choose an empty folder or an earlier build of the page`);
await buildAndWeigh(folder);
