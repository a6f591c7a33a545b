//! What this node asked and served.

use super::words;

words! { "activity":
    title;
    caption;
    all;
    asked;
    served;
    failed;
    search;
    last_minute;
    now;
    load;
    nothing;
    nothing_hint;
    nothing_fits;
    nothing_fits_hint;
    by(who: &str);
    for_whom(who: &str);
    by_this;
    running;
    running_at(percent: u8);
    done;
    at;
    side;
    you_asked;
    you_served;
    who;
    input;
    no_input;
    took;
    route;
    route_of(count: usize);
    route_none;
    route_served;
    expected(time: &str);
    answered;
    busy;
    refused;
    broke;
    lost;
    cancelled;
    hedge;
    copy_all;
}
