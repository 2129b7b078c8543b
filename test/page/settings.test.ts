import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import { defaultSettings } from '../../public/src/state/settings.ts';

test('[PG20] the page starts a new room with the settings that the server would give it', () => {
  expect(defaultSettings('bet')).toEqual(DEFAULT_SETTINGS.bet);
  expect(defaultSettings('pick')).toEqual(DEFAULT_SETTINGS.pick);
});
