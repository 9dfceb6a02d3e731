import type { Story } from '../state.ts';

/** Shows one idea of the story as it stands; called again after every change, and cheap where nothing is new. */
export type View = (story: Story) => void;
