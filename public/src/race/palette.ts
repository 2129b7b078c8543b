export const PALETTE = {
  skyTop: '#cfe3ea',
  skyLow: '#f3efe0',
  hillFar: '#a9c3b0',
  hillNear: '#7fa58a',
  hedge: '#3f7255',
  stand: '#e9ddc4',
  standRoof: '#8a4b33',
  turf: '#5f9b62',
  turfLight: '#6aa66b',
  turfEdge: '#3d7048',
  rail: '#ffffff',
  railShade: '#c9d3cb',
  mark: '#ffffff',
  markText: '#17402f',
  gate: '#2f4a3d',
  gateLight: '#46705b',
  dust: '#efe6cf',
  ink: '#18261f',
  shadow: 'rgba(20, 45, 30, 0.22)',
} as const;

/** Coats by gate: bay, chestnut, black, grey, liver, palomino. */
export const COATS: readonly { readonly body: string; readonly dark: string }[] = [
  { body: '#7a4a2b', dark: '#2c1a12' },
  { body: '#a65f32', dark: '#7b4122' },
  { body: '#3a3230', dark: '#1b1716' },
  { body: '#b9b6b0', dark: '#77736d' },
  { body: '#5b3524', dark: '#26150e' },
  { body: '#c99a57', dark: '#efe0bd' },
];
