//! What the people of the demo write to each other.

use super::words;

words! { "demo":
    question;
    answer;
    stranger;
}
