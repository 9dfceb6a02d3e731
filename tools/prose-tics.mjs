#!/usr/bin/env node
// Counts turns of phrase that plain English does not have, in documents, comments, help texts and messages.
//
//   node tools/prose-tics.mjs [FILE ...]              the count of each phrase and of each file; all files that git tracks by default
//   node tools/prose-tics.mjs --list NAME [FILE ...]  every line that has the phrase
//   node tools/prose-tics.mjs --ceiling N [FILE ...]  exits with 1 if there are more than N per 10,000 words (`npm run lint`)
//
// A count is a place to look, not a verdict: "where" and "of" have honest uses. The last line is the total per 10,000 words of prose.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

const TICS = {
  anew: /\banew\b/gi,
  'headless What/Those/Whoever':
    /(?:^|[.:;] )(?:What (?!is|are|was|does|do|did|kind|to|if|about|works)\w+|Those (?:that|of|who)|Whoever|That which)\b/gm,
  'sentence begins with Of': /(?:^|[.:;] )Of (?!course)\w+/gm,
  'an X a(n) Y for per':
    /\b(?:one|an?|\d+|four|two|eight) (?:invocations?|elements?|rows?|workgroups?|lanes?|threads?|bytes?|images?|pixels?|columns?) an? (?:invocation|element|row|workgroup|lane|batch|iteration|step|class|second|output|pixel|image|channel|line|file|reader|cycle|dispatch)\b/gi,
  'so many/so long without a measure': /\bso (?:many|long|much)\b(?! (?:that|as))/gi,
  'postposed alone': /\w+ alone\b(?! (?:is|are|can))/gi,
  'is said / says so': /\b(?:is|was|are|be) (?:not )?said\b|\b(?:says|say|said) so\b/gi,
  'in place of': /\bin place of\b/gi,
  'comes to / came to': /\b(?:comes|came|come) to (?!the end\b)/gi,
  'nobody / somebody for a program': /\b(?:nobody|somebody|no one)\b/gi,
  'the present X': /\bthe present \w+/gi,
  'told / asked wrongly': /\b(?:is|are|was|were) told\b|\basked wrongly\b/gi,
  mended: /\bmend(?:ed|s)?\b/gi,
  'beside / besides': /\bbesides?\b/gi,
  'goes on / go on': /\b(?:goes|go|going|went) on\b/gi,
  'out of for from': /\b(?:rendered|read|made|taken|declared|loaded|built|comes?|came) (?:\w+ )?out of\b/gi,
  'where for if': /(?:^|[,;(] ?)where (?:one|it|they|that|there|none|nothing|a|an|no)\b/gim,
  'postposed at most / at least': /\b(?:\d+|one|two|three|a) \w+ at (?:most|least)\b/gi,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'string' }, ceiling: { type: 'string' } },
});
// This file names the phrases, so it does not count itself.
const tracked = () =>
  execFileSync('git', ['ls-files'], { encoding: 'utf8' })
    .split('\n')
    .filter(
      (file) =>
        /\.(md|ts|mjs|wgsl|html|css)$/.test(file) && !/golden|package-lock|prose-tics/.test(file) && existsSync(file),
    );
const files = positionals.length > 0 ? positionals : tracked();

/** The prose of a file with its line numbers: documents whole, of code only comments and strings with a space in them. */
function prose(file, text) {
  const lines = text.split('\n');
  if (/\.(md|html)$/.test(file)) {
    let code = false;
    return lines.map((l, i) => {
      if (/^```/.test(l)) code = !code;
      return [i + 1, code ? '' : l.replace(/<[^>]+>/g, ' ')];
    });
  }
  return lines.map((l, i) => {
    const comment = /(?:^|\s)(?:\/\/|\/?\*+)(?!\/)\s?(.*)$/.exec(l);
    const strings = [...l.matchAll(/(['"`])((?:\\.|(?!\1).)*\s(?:\\.|(?!\1).)*)\1/g)].map((m) => m[2]).join(' | ');
    return [i + 1, comment ? comment[1] : strings];
  });
}

const counts = Object.fromEntries(Object.keys(TICS).map((k) => [k, 0]));
let total = 0,
  words = 0;
const byFile = {};
for (const file of files) {
  for (const [n, text] of prose(file, readFileSync(file, 'utf8'))) {
    if (!text.trim()) continue;
    words += text.match(/[A-Za-z][\w'’-]*/g)?.length ?? 0;
    for (const [name, tic] of Object.entries(TICS)) {
      const hits = text.match(tic)?.length ?? 0;
      if (!hits) continue;
      counts[name] += hits;
      total += hits;
      byFile[file] = (byFile[file] ?? 0) + hits;
      if (values.list === name) console.log(`${file}:${n}: ${text.trim().slice(0, 150)}`);
    }
  }
}
const rate = (10000 * total) / Math.max(1, words);
const tooMany = values.ceiling !== undefined && rate > Number(values.ceiling);
const mostFirst = (record) => Object.entries(record).sort(([, a], [, b]) => b - a);
if (values.ceiling === undefined && !values.list)
  for (const [name, count] of mostFirst(counts)) console.log(String(count).padStart(5), name);
if (tooMany || (values.ceiling === undefined && !values.list)) {
  console.log('\nfiles:');
  for (const [file, count] of mostFirst(byFile)) console.log(String(count).padStart(5), file);
}
console.log(`${total} in ${words} words of prose: ${rate.toFixed(1)} per 10,000`);
if (tooMany) {
  console.log(`prose: at most ${values.ceiling} per 10,000 words are allowed; --list NAME shows the lines of a phrase`);
  process.exitCode = 1;
}
