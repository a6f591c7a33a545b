//! Admission to a private mesh. What is said is sealed, so that only who knows the mesh can read it,
//! and certificates make it true: each side's names the peer id that the connection has proved.
//!
//! Whoever is not let in sees, after a time that says nothing, a closed connection and nothing else.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use futures::AsyncWriteExt as _;
use libp2p::{
    Multiaddr, PeerId,
    core::muxing::{StreamMuxerBox, SubstreamBox},
};
use tokio::time::{Instant, sleep_until};

use super::{Admission, AdmissionError, Knock, Stream, driven, linger, say_hello, write};
use crate::{
    doctor::Stranger,
    membership::{
        Membership,
        seal::{self, Saying},
        spread,
    },
    neighbourhood::Door,
    network::now_ms,
    protocol::{
        Hello, Malformed, Verdict,
        admission::{VERSION, some_others},
        membership::{Credential, Pass, Refusal, Welcome},
    },
};

/// How long after its hello somebody who is not let in is hung up on, whatever the reason.
const HIDE: Duration = Duration::from_millis(400);

/// Who this node is to a private mesh.
#[derive(Clone)]
pub(super) enum Side {
    /// A member.
    Member(Arc<Membership>),
    /// Somebody who comes for a certificate.
    Errand(Arc<Errand>),
}

/// What a node comes for that wants a certificate.
#[derive(Debug)]
pub struct Errand {
    /// Who asks.
    pub me: PeerId,
    /// The mesh.
    pub mesh: PeerId,
    /// The admin to whom alone it is shown.
    pub admin: PeerId,
    /// What it shows.
    pub pass: Pass,
    answer: Mutex<Option<Result<Issued, Refusal>>>,
}

/// A certificate that was got.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued {
    /// It.
    pub credential: Credential,
    /// What the mesh is called.
    pub name: String,
}

/// Why no certificate was got, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ErrandError {
    /// Nobody was reached.
    #[error(
        "the admin's node cannot be reached ({0}); see that it runs, that this computer is in the same \
         network, and ask for a new invite if its address has changed"
    )]
    Unreached(String),
    /// It was reached and closed the connection.
    #[error("the admin's node does not answer for this mesh (any more); ask for a new invite")]
    NoAnswer,
    /// It said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Errand {
    /// For `me`, with what it shows.
    pub fn new(me: PeerId, mesh: PeerId, admin: PeerId, pass: Pass) -> Arc<Self> {
        Arc::new(Self { me, mesh, admin, pass, answer: Mutex::new(None) })
    }

    /// What was answered, once.
    pub(crate) fn answer(&self) -> Option<Result<Issued, Refusal>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn end(&self, answer: Result<Issued, Refusal>) -> AdmissionError {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        AdmissionError::Errand
    }
}

impl Side {
    fn mesh(&self) -> PeerId {
        match self {
            Self::Member(membership) => membership.mesh(),
            Self::Errand(errand) => errand.mesh,
        }
    }

    fn me(&self) -> PeerId {
        match self {
            Self::Member(membership) => membership.id(),
            Self::Errand(errand) => errand.me,
        }
    }

    fn pass(&self) -> Pass {
        match self {
            Self::Member(membership) => {
                Pass::Member { credential: membership.credential(), digest: membership.digest() }
            }
            Self::Errand(errand) => errand.pass.clone(),
        }
    }

    /// The side of whoever dialled. Gives the verdict of a node that is of no private mesh, or has no
    /// room.
    pub(super) async fn knock(
        &self,
        peer: PeerId,
        stream: SubstreamBox,
        said: &AtomicBool,
    ) -> Result<Option<Verdict>, AdmissionError> {
        let (mesh, me) = (self.mesh(), self.me());
        let pass = self.pass();
        if matches!(self, Self::Errand(errand) if errand.admin != peer) {
            // A token is nobody else's.
            return Err(AdmissionError::NoAnswer);
        }
        let sealed = seal::seal(&pass, Saying::Pass, &mesh, &me, &peer).map_err(broken)?;
        let hello = Hello { sealed: Some(sealed), ..Hello::new("") };
        let (verdict, mut stream) = say_hello(stream, &hello, said).await?;
        let Verdict::Sealed(bytes) = verdict else { return Ok(Some(verdict)) };
        let welcome = seal::open::<Welcome>(&bytes, Saying::Welcome, &mesh, &peer, &me);
        let odd = || AdmissionError::NotPotluck("its answer cannot be read".to_owned());
        match (self, welcome.ok_or_else(odd)?) {
            (_, Welcome::Full { retry_after_ms, others }) => {
                Ok(Some(Verdict::Full { retry_after_ms, others }))
            }
            (Self::Member(membership), Welcome::Member { credential, digest }) => {
                membership.admit(&peer, &credential, "", now_ms())?;
                let same = matches!(pass, Pass::Member { digest: own, .. } if own == digest);
                agree(membership, &peer, &credential, same, &mut stream).await?;
                Ok(None)
            }
            (Self::Errand(errand), Welcome::Issued { credential, name }) => {
                Err(errand.end(Ok(Issued { credential, name })))
            }
            (Self::Errand(errand), Welcome::Refused { why }) => Err(errand.end(Err(why))),
            _ => Err(odd()),
        }
    }
}

impl Admission {
    /// The side of whoever was dialled.
    pub(super) async fn open_private(
        &self,
        side: &Side,
        (peer, muxer): (PeerId, &mut StreamMuxerBox),
        mut stream: Stream,
        hello: Hello,
        address: &Multiaddr,
    ) -> Result<(), AdmissionError> {
        let heard = Instant::now();
        let judged = driven(muxer, self.answer(side, peer, &hello, &mut stream)).await;
        match judged.map_err(AdmissionError::Connection)? {
            Answered::In => Ok(()),
            Answered::Out(why) => {
                linger(muxer).await;
                Err(AdmissionError::TurnedAway(why))
            }
            Answered::Nothing(why) => {
                if !hello.mesh.is_empty() {
                    let stranger =
                        Stranger { address: address.to_string(), mesh: Some(hello.mesh) };
                    self.tell(Knock::Stranger { peer, stranger });
                }
                let hidden = driven(muxer, sleep_until(heard + HIDE)).await;
                hidden.map_err(AdmissionError::Connection)?;
                Err(AdmissionError::TurnedAway(why))
            }
        }
    }

    async fn answer(
        &self,
        side: &Side,
        peer: PeerId,
        hello: &Hello,
        stream: &mut Stream,
    ) -> Answered {
        let Side::Member(membership) = side else {
            return Answered::Nothing("this node came for a certificate only");
        };
        let (mesh, me) = (membership.mesh(), membership.id());
        let sealed = hello.sealed.as_deref().filter(|_| hello.version == VERSION);
        let open = |bytes| seal::open::<Pass>(bytes, Saying::Pass, &mesh, &peer, &me);
        let Some(pass) = sealed.and_then(open) else {
            return Answered::Nothing("it is of another mesh, or of another version");
        };
        let Pass::Member { credential, digest } = pass else {
            let welcome = issue(membership.clone(), pass, peer).await;
            return match say_sealed(membership, &peer, stream, &welcome).await {
                Ok(()) => Answered::Out("it came for a certificate"),
                Err(_) => Answered::Nothing("it went before it had an answer"),
            };
        };
        if let Err(why) = membership.admit(&peer, &credential, "", now_ms()) {
            tracing::debug!(%peer, "no member: {why}");
            return Answered::Nothing("it is no member");
        }
        let own = membership.digest();
        let welcome = match self.room_for(peer).await {
            Door::Open => Welcome::Member { credential: membership.credential(), digest: own },
            Door::Shut => return Answered::Nothing("it is blocked"),
            Door::Full { retry_after_ms, others } => Welcome::Full {
                retry_after_ms: u32::try_from(retry_after_ms).unwrap_or(u32::MAX),
                others: some_others(&others),
            },
        };
        let room = matches!(welcome, Welcome::Member { .. });
        if say_sealed(membership, &peer, stream, &welcome).await.is_err() {
            return Answered::Nothing("it went before it had an answer");
        }
        if !room {
            return Answered::Out("there is no room");
        }
        match agree(membership, &peer, &credential, own == digest, stream).await {
            Ok(()) => Answered::In,
            Err(_) => Answered::Nothing("it is no member any more"),
        }
    }
}

enum Answered {
    /// Come in.
    In,
    /// It was told that it is not to come in.
    Out(&'static str),
    /// It was told nothing.
    Nothing(&'static str),
}

/// Before anything else both know the same of who was removed; then the peer must still be a member.
async fn agree(
    membership: &Arc<Membership>,
    peer: &PeerId,
    credential: &Credential,
    same: bool,
    stream: &mut Stream,
) -> Result<(), AdmissionError> {
    if !same {
        spread::swap(membership, stream).await.map_err(AdmissionError::Connection)?;
    }
    stream.close().await.map_err(AdmissionError::Connection)?;
    membership.admit(peer, credential, "", now_ms())?;
    Ok(())
}

async fn issue(membership: Arc<Membership>, pass: Pass, peer: PeerId) -> Welcome {
    let name = membership.name().to_owned();
    let Some(turn) = membership.issuing() else { return Welcome::Refused { why: Refusal::Disk } };
    let signed = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        membership.issue(&pass, peer, now_ms())
    });
    match signed.await {
        Ok(Ok(credential)) => Welcome::Issued { credential, name },
        Ok(Err(why)) => Welcome::Refused { why },
        Err(_) => Welcome::Refused { why: Refusal::Disk },
    }
}

async fn say_sealed(
    membership: &Membership,
    peer: &PeerId,
    stream: &mut Stream,
    welcome: &Welcome,
) -> io::Result<()> {
    let (mesh, me) = (membership.mesh(), membership.id());
    let sealed = seal::seal(welcome, Saying::Welcome, &mesh, &me, peer);
    write(stream, &Verdict::Sealed(sealed.map_err(io::Error::other)?)).await
}

fn broken(error: Malformed) -> AdmissionError {
    AdmissionError::Connection(io::Error::other(error))
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(_) => f.write_str("Member"),
            Self::Errand(errand) => errand.fmt(f),
        }
    }
}
