//! Who are you.

use maud::html;

use super::frame;

pub fn login(blast_version: &str) -> String {
    let body = html! {
        section.narrow {
            h1 { "Sign in" }
            form #login method="post" {
                p.field {
                    label for="login-name" { "Name" }
                    input #login-name name="name" autocomplete="username" required
                        autocapitalize="none" spellcheck="false";
                }
                p.field {
                    label for="login-password" { "Password" }
                    input #login-password name="password" type="password"
                        autocomplete="current-password" required;
                }
                p.refused role="alert" hidden {}
                button.main type="submit" { "Sign in" }
            }
            p.aside { "An admin of this panel makes users with "
                code { "blast serve user add NAME --role viewer" } "." }
        }
    };
    frame::alone("login", "Sign in", blast_version, &body)
}
