//! A client that others wrote against the real service, `python-facepp`, gets along with the stand-in.

use std::process::{Command, Output};

use potluck_tests::{
    facepp::{Does, KEY, Mock, SECRET},
    skipped,
};

use super::numbered;

/// Asks by file, base64 and address, with right and wrong keys.
const SCRIPT: &str = r#"
import base64, sys
from facepplib import FacePP, exceptions
url, key, secret, picture = sys.argv[1:]
app = FacePP(api_key=key, api_secret=secret, url=url)
wanted = ['gender', 'age', 'smiling', 'beauty']
one = app.image.get(image_file=picture, return_attributes=wanted)
face = one.faces[0]
print('file', len(one.faces), face.gender['value'], face.age['value'], face.face_rectangle['left'])
encoded = base64.b64encode(open(picture, 'rb').read()).decode()
print('base64', len(app.image.get(image_base64=encoded, return_attributes=wanted).faces))
print('url', len(app.image.get(image_url='http://example.invalid/a.jpg').faces))
def failing(name, app, **args):
    try:
        app.image.get(**args)
        print(name, 'no error')
    except exceptions.BaseFacePPError as error:
        print(name, type(error).__name__)
failing('wrong', FacePP(api_key=key, api_secret='no', url=url), image_file=picture)
failing('nothing', app, return_attributes=wanted)
failing('attribute', app, image_file=picture, return_attributes=['shoesize'])
failing('busy', app, image_file=picture)
"#;

/// A Python that has the package.
fn python() -> Option<&'static str> {
    ["python3", "python3.11", "python3.10", "python3.9"].into_iter().find(|python| {
        let asked = Command::new(python).args(["-W", "ignore", "-c", "import facepplib"]).output();
        asked.is_ok_and(|output| output.status.success())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_independent_client_gets_along_with_the_stand_in() -> anyhow::Result<()> {
    let Some(python) = python() else {
        skipped(
            "an_independent_client_gets_along_with_the_stand_in",
            "no Python with python-facepp",
        );
        return Ok(());
    };
    let (mock, dir) = (Mock::start().await, tempfile::tempdir()?);
    let file = dir.path().join("picture.png");
    std::fs::write(&file, numbered(3))?;
    for _ in 0..5 {
        mock.next(Does::Answer);
    }
    let busy = r#"{"error_message": "CONCURRENCY_LIMIT_EXCEEDED"}"#;
    mock.next(Does::Say(403, "application/json", busy.to_owned()));
    let mut command = Command::new(python);
    command.args(["-W", "ignore", "-c", SCRIPT, &mock.base(), KEY, SECRET]).arg(file);
    command.env("NO_PROXY", "127.0.0.1");
    let Output { stdout, stderr, status } =
        tokio::task::spawn_blocking(move || command.output()).await??;
    let said = String::from_utf8_lossy(&stdout);
    assert!(status.success(), "{said}{}", String::from_utf8_lossy(&stderr));
    let said: Vec<_> = said.lines().collect();
    assert_eq!(
        said,
        [
            "file 1 Female 31 23",
            "base64 1",
            "url 0",
            "wrong AuthenticationError",
            "nothing MissingArguments",
            "attribute BadArguments",
            "busy ConcurrencyLimitExceeded",
        ]
    );
    Ok(())
}
