#!/usr/bin/env node
// Counts turns of phrase that plain English does not have, in documents, comments, help texts and messages.
// Run from the project's root: node tools/prose-tics.mjs [--list PATTERN-NAME] [FILE ...]
// A count is a place to look, not a verdict: 'where' and 'of' have honest uses. The last line is the total per 10,000 words of prose.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

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

const args = process.argv.slice(2);
const list = args[0] === '--list' ? args.splice(0, 2)[1] : undefined;
const files = args.length
  ? args
  : execFileSync('git', ['ls-files'], { encoding: 'utf8' })
      .split('\n')
      .filter((f) => /\.(md|ts|mjs|wgsl|html|css)$/.test(f) && !/golden|package-lock/.test(f));

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
      if (list === name) console.log(`${file}:${n}: ${text.trim().slice(0, 150)}`);
    }
  }
}
if (!list) {
  for (const [name, n] of Object.entries(counts).sort((a, b) => b[1] - a[1])) console.log(String(n).padStart(5), name);
  console.log('\nfiles with most:');
  for (const [f, n] of Object.entries(byFile)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 15))
    console.log(String(n).padStart(5), f);
}
console.log(`${total} in ${words} words of prose: ${((10000 * total) / Math.max(1, words)).toFixed(1)} per 10,000`);
