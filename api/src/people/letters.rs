//! What is written to people.

use super::Post;

impl Post {
    pub(super) async fn invitation(&self, to: &str, account: Option<&str>, link: &str) {
        let page = self.page("invitation", link);
        let into = account.map_or_else(String::new, |name| format!(" to the account {name}"));
        let text = format!(
            "You have been asked in{into} at {url}.\n\nSet your name and password here, once, within a week:\n\n{page}\n\n\
             If you know nothing of this, do nothing: it ends by itself.\n",
            url = self.url
        );
        self.send(to, "You have been asked in", text).await;
    }

    pub(super) async fn registration(&self, to: &str, link: &str) {
        let page = self.page("invitation", link);
        let text = format!(
            "Somebody, you we hope, asked for a login at {url} with this address.\n\nSet your name and password here, once, \
             within a day:\n\n{page}\n\nIf it was not you, do nothing: it ends by itself.\n",
            url = self.url
        );
        self.send(to, "Your login", text).await;
    }

    /// To somebody who asks to register and is known already: nobody else learns that they are.
    pub(super) async fn known_already(&self, to: &str) {
        let text = format!(
            "Somebody, you we hope, asked for a login at {url} with this address. You have one already; if you forgot its \
             password, ask for another: gantry reset-password --url {url} {to}\n",
            url = self.url
        );
        self.send(to, "You have a login already", text).await;
    }

    pub(super) async fn reset(&self, to: &str, link: &str) {
        let page = self.page("password", link);
        let text = format!(
            "Somebody, you we hope, asked for a new password at {url}.\n\nSet it here, once, within an hour; all of your \
             sessions end then:\n\n{page}\n\nIf it was not you, do nothing: your password stays as it is.\n",
            url = self.url
        );
        self.send(to, "A new password", text).await;
    }
}
