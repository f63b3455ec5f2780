//! What a notification says to people, in each language. No placeholders but the few that [`super`] fills in.

use crate::queue::envelope::Action;
use postern_schema::reply::StatusSubject;
use postern_schema::site::Language;

/// One thing said in each language.
pub(super) struct Words {
    en: &'static str,
    ja: &'static str,
}

impl Words {
    pub(super) fn of(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Japanese => self.ja,
        }
    }
}

const fn words(en: &'static str, ja: &'static str) -> Words {
    Words { en, ja }
}

/// Who speaks. `{}`: the host name.
pub(super) const SERVER: Words = words("This is the mail server {}.", "メールサーバー {} からのお知らせです。");

/// What the notification is about. `{}`: when the message was accepted.
pub(super) fn news(action: Action) -> Words {
    match action {
        Action::Failed | Action::Expired => words(
            "The message that you sent on {} could not be delivered to the recipients below. It is not tried again.",
            "{} に送信されたメールは、次の宛先に配信できませんでした。再送は行いません。",
        ),
        Action::Delayed => words(
            "The message that you sent on {} has not been delivered to the recipients below yet. You need do nothing: it is \
             tried again.",
            "{} に送信されたメールは、次の宛先にまだ配信できていません。自動的に再送しますので、送り直す必要はありません。",
        ),
        Action::Delivered | Action::Relayed => words(
            "The message that you sent on {} has reached the recipients below.",
            "{} に送信されたメールは、次の宛先に届きました。",
        ),
    }
}

/// Why, for one recipient.
pub(super) fn why(action: Action, subject: StatusSubject) -> Words {
    match (action, subject) {
        (Action::Expired, _) => words(
            "The time for which we try to deliver a message is over. This is what the last attempt met with.",
            "配信を試みる期限を過ぎました。最後の試行の結果は次のとおりです。",
        ),
        (Action::Delayed, _) => words(
            "The message could not be handed over so far. This is what the last attempt met with.",
            "現在のところ、相手先に渡すことができません。最後の試行の結果は次のとおりです。",
        ),
        (Action::Delivered, _) => {
            words("The message is in the recipient's mailbox.", "メールは宛先のメールボックスに入りました。")
        }
        (Action::Relayed, _) => words(
            "The message was handed over to a server that sends no reports about what becomes of it.",
            "メールは次のサーバーに引き渡されました。このサーバーはその後の結果を通知しません。",
        ),
        (Action::Failed, StatusSubject::Address) => {
            words("The recipient's server does not know this address.", "相手先のサーバーに、このアドレスは存在しません。")
        }
        (Action::Failed, StatusSubject::Mailbox) => {
            words("The mailbox does not take the message.", "宛先のメールボックスがメールを受け取りませんでした。")
        }
        (Action::Failed, StatusSubject::MailSystem) => {
            words("The recipient's server cannot take the message.", "相手先のサーバーがメールを受け取れませんでした。")
        }
        (Action::Failed, StatusSubject::Network) => {
            words("There is no way to the recipient's server.", "相手先のサーバーに到達する経路がありません。")
        }
        (Action::Failed, StatusSubject::Policy) => words(
            "The recipient's server does not accept the message from us.",
            "相手先のサーバーが、当サーバーからのメールを拒否しました。",
        ),
        (Action::Failed, StatusSubject::Content) => words(
            "The recipient's server cannot handle what is in the message.",
            "相手先のサーバーが、メールの内容を処理できませんでした。",
        ),
        (Action::Failed, StatusSubject::Protocol | StatusSubject::Other) => {
            words("The recipient's server refused the message.", "相手先のサーバーがメールを拒否しました。")
        }
    }
}

/// Before the words of a server. `{}`: its name.
pub(super) const SERVER_SAID: Words = words("The server {} said:", "サーバー {} の応答:");
/// Before a reason that no server gave.
pub(super) const REASON: Words = words("The reason was:", "理由:");

/// What the reader can do, for one recipient; nothing where nothing is to be done.
pub(super) fn what_next(action: Action, subject: StatusSubject) -> Option<Words> {
    Some(match (action, subject) {
        (Action::Delayed | Action::Delivered | Action::Relayed, _) => return None,
        (Action::Expired, _) => words(
            "What you can do: send the message again later, or reach the recipient in another way and tell them that their mail \
             server could not be reached.",
            "対処方法: 時間をおいて送り直すか、別の手段で相手の方に、メールサーバーに接続できない旨をお知らせください。",
        ),
        (Action::Failed, StatusSubject::Address) => words(
            "What you can do: check the address for typing errors and send the message again. If it is right, ask the recipient \
             in another way whether it still exists.",
            "対処方法: アドレスに誤りがないか確認し、送り直してください。正しい場合は、別の手段で相手の方にアドレスが有効かお尋ねください。",
        ),
        (Action::Failed, StatusSubject::Mailbox) => words(
            "What you can do: tell the recipient in another way. Their mailbox may be full, closed or too small for the message.",
            "対処方法: 別の手段で相手の方にお知らせください。メールボックスが満杯か、停止しているか、容量が足りない可能性があります。",
        ),
        (Action::Failed, StatusSubject::MailSystem | StatusSubject::Content) => words(
            "What you can do: send a smaller or simpler message, for example without attachments.",
            "対処方法: 添付ファイルを外すなど、より小さく簡単な形で送り直してください。",
        ),
        (Action::Failed, StatusSubject::Policy) => words(
            "What you can do: show this to whoever looks after your mail server. The words of the other server say what it objects \
             to.",
            "対処方法: このお知らせをメールサーバーの管理者に見せてください。拒否の理由は相手先サーバーの応答にあります。",
        ),
        (Action::Failed, StatusSubject::Network | StatusSubject::Protocol | StatusSubject::Other) => words(
            "What you can do: check the address. If it is right, show this to whoever looks after your mail server.",
            "対処方法: アドレスを確認してください。正しい場合は、このお知らせをメールサーバーの管理者に見せてください。",
        ),
    })
}

/// The end. The first `{}` is the host name, the second the queue id.
pub(super) const HELP: Words = words(
    "The header of your message is attached. If you need help, forward this notification to postmaster@{} and name {}.",
    "元のメールのヘッダーを添付しています。お困りの場合は、このお知らせを postmaster@{} に転送し、番号 {} をお伝えください。",
);

/// The subject of the notification.
pub(super) fn subject(action: Action) -> Words {
    match action {
        Action::Failed | Action::Expired => {
            words("Undelivered Mail Returned to Sender", "メールを配信できませんでした (Undelivered Mail)")
        }
        Action::Delayed => words("Delayed Mail (still being retried)", "メールの配信が遅れています (Delayed Mail)"),
        Action::Delivered | Action::Relayed => {
            words("Successful Mail Delivery Report", "メールを配信しました (Successful Delivery)")
        }
    }
}
