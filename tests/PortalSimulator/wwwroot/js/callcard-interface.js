// https://apidocs.bitrix24.com/api-reference/widgets/ui-interaction/page-background-worker/index.html
export const uiStates = [
  'incoming', 'transferIncoming', 'outgoing', 'connectingIncoming', 'connectingOutgoing', 'connected',
  'transferring', 'transferFailed', 'transferConnected', 'error', 'moneyError', 'redial',
];

export const callCardEvents = [
  'initialized', 'addCommentButtonClick', 'muteButtonClick', 'holdButtonClick', 'closeButtonClick', 'transferButtonClick',
  'cancelTransferButtonClick', 'completeTransferButtonClick', 'hangupButtonClick', 'nextButtonClick', 'skipButtonClick',
  'answerButtonClick', 'entityChanged', 'makeCallButtonClick', 'qualityMeterClick', 'dialpadButtonClick', 'notifyAdminButtonClick',
].map(name => `BackgroundCallCard::${name}`);

const failed = errorCode => [{ result: 'error', errorCode }];

const onCard = act => ({ params, shell, answer }) => {
  const card = shell.callCard;
  if (!card.shown()) answer(failed('Call card is undefined'));
  else act(card, params ?? {}, answer);
};

export const callCardCommands = {
  CallCardGetListUiStates: ({ answer }) => answer(uiStates),

  CallCardSetUiState: onCard((card, { uiState, disableAutoStartTimer }, answer) => {
    if (!uiStates.includes(uiState)) return answer(failed('Invalid ui state'));
    card.setUiState(uiState, !disableAutoStartTimer);
    answer([]);
  }),

  CallCardSetMute: onCard((card, { muted }, answer) => { card.setMuted(Boolean(muted)); answer([]); }),
  CallCardSetHold: onCard((card, { held }, answer) => { card.setHeld(Boolean(held)); answer([]); }),
  CallCardSetCardTitle: onCard((card, { title }, answer) => { card.setTitle(title); answer([]); }),
  CallCardSetStatusText: onCard((card, { statusText }, answer) => { card.setStatusText(statusText); answer([]); }),

  // In a browser these two are never answered when they succeed.
  CallCardStartTimer: onCard(card => card.startTimer()),
  CallCardStopTimer: onCard(card => card.stopTimer()),

  CallCardClose: onCard((card, _, answer) => { card.close(); answer([]); }),
};
