/** The classes of the sets `emoji-twemoji` and `emoji-noto`, by their labels. */
export const EMOJI_CLASSES: readonly string[] =
  'face hand animal plant vehicle person activity place clothing sky flag sign'.split(' ');
