// The script and the style of report.html. build.mjs generates this module from main.ts and style.css.
declare module 'report:page' {
  export const script: string;
  export const style: string;
}
