// Builds the page to host anywhere: `node tools/buildPage.mjs [FOLDER]`.
import process from 'node:process';
import { buildAndWeigh } from './page/build.mjs';

await buildAndWeigh(process.argv[2] ?? '.build/page');
