// The Bot API of npm's telegram-test-api, on a free port, with what it gets wrong put right: getMe without is_bot, dates
// in milliseconds, edits that answer null, presses without chat_instance. Prints its address when it is ready.
const { routes } = require('telegram-test-api/lib/routes/index');
const { TelegramServer } = require('telegram-test-api/lib/telegramServer');

const answer = (value) => (_req, res) => res.json({ ok: true, result: value });
routes.unshift((app, server) => {
  app.all('/bot:token/getMe', answer({ id: 666, is_bot: true, first_name: 'Temoin', username: 'temoin_bot' }));
  for (const edit of ['editMessageText', 'editMessageReplyMarkup']) {
    app.all(`/bot:token/${edit}`, (req, res) => {
      server[edit](req.body);
      const chat = { id: Number(req.body.chat_id), type: 'private' };
      res.json({ ok: true, result: { message_id: Number(req.body.message_id), date: 1, chat } });
    });
  }
});
const add = TelegramServer.prototype.addBotMessage;
TelegramServer.prototype.addBotMessage = function (...given) {
  const message = add.apply(this, given);
  return { message_id: message.message_id, date: Math.floor(message.date / 1000), chat: message.chat, text: message.text };
};
const format = TelegramServer.formatUpdate;
TelegramServer.formatUpdate = (update) => {
  const made = format(update);
  if (made.callback_query) made.callback_query.chat_instance = '1';
  return made;
};
const port = Number(process.argv[2]);
new TelegramServer({ port, host: '127.0.0.1' }).start().then(() => console.log('ready'));
