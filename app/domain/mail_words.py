"""How mail programs speak: what they put before a quoted mail and under a new one, by language.

Facts about programs, not rules: ``mail_text`` says what is done about them.
"""

import re

# Who wrote: the verb with which a program introduces what it quotes.
_VERBS = {
    "en": "wrote|writes",
    "de": "schrieb|schrieben|hat geschrieben|geschrieben",
    "fr": "a écrit|a ecrit",
    "es": "escribió|escribio|ha escrito",
    "pt": "escreveu",
    "it": "ha scritto|scrisse|scriveva",
    "nl": "schreef|geschreven|schreef het volgende",
    "ca": "va escriure|ha escrit",
    "gl": "escribiu",
    "ro": "a scris",
    "sv no da": "skrev|skreiv|har skrevet",
    "fi": "kirjoitti",
    "is": "skrifaði",
    "et": "kirjutas",
    "lv": "rakstīja",
    "lt": "rašė|parašė",
    "pl": r"napisał|napisała|napisał\(a\)|napisał/a|pisze",
    "cs": r"napsal|napsala|napsal\(a\)|napsal/a",
    "sk": r"napísal|napísala|napísal\(a\)|napísal/a",
    "sl hr sr bs": r"je napisal|je napisala|je napisal\(a\)|napisao|napisala|napisao/la|piše",
    "hu": "ezt írta|írta|írt",
    "ru": r"написал|написала|написал\(а\)|написал/а|пишет|писал|писал\(а\)",
    "uk": r"написав|написала|написав\(ла\)|написав\(-ла\)|пише|писав",
    "bg": "написа|пише",
    "sr": "је написао|је написала|написао|написала",
    "el": "έγραψε",
    "tr": "yazdı|şunu yazdı|yazmış",
    "id ms": "menulis|telah menulis",
    "vi": "đã viết|viết",
    "th": "เขียนว่า|เขียน",
    "he": "כתב|כתבה|כתב/ה",
    "ar fa": "كتب|كتبت|نوشت",
    "zh": "写道|寫道|写到|写|寫",
    "ja": "書きました|のメッセージ|wrote",
    "ko": "님이 작성|님이 씀|작성",
}
_GLUED = "写道|寫道|写到|書きました|のメッセージ|님이 작성|님이 씀|작성"
"""Written without spaces around."""

_SPACED = "|".join(sorted({it for told in _VERBS.values() for it in told.split("|")}, key=len))
VERB = re.compile(rf"(?:(?<![^\s,;:>)\"'*»”\]])(?:{_SPACED})(?!\w|-\w)|{_GLUED})", re.IGNORECASE)
VERB_AT_END = re.compile(
    rf"(?:(?:^|[\s,;>)\"'»”\]])(?:{_SPACED})|{_GLUED})\s*[:：]?[\s*_-]*>?$", re.IGNORECASE
)

_DAYS = (
    "mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|"
    "dom|gio|sab|seg|ter|qua|qui|sex|ma|wo|vr|za|zo|mån|tis|ons|tors|tor|fre|lør|lör|søn|sön|man|"
    "tir|ti|ke|to|pe|la|su|pon|wt|śr|czw|pt|sob|niedz|po|út|ut|st|čt|št|pá|pi|ne|пн|вт|ср|чт|пт|"
    "сб|вс|нд|lu|mi|joi|vin|sâm|dum|sen|sel|rab|kam|jum|sab|min"
)
STARTER = re.compile(
    r"[\s*_>\"'-]*(?:\d|在|于|於|(?:on|at|le|am|op|il|el|em|den|dne|dňa|dnia|w dniu|în|pe|"
    r"a\(z\)|στις|vào|pada|på|dana|u|in data|il giorno|no dia|el dia|el día|la data)(?!\w)|"
    rf"(?:{_DAYS})[^\W\d_]*[.,]*\s+\S*\d)",
    re.IGNORECASE,
)

# The names of headers that a program repeats above a mail it quotes without marks.
_FROM = (
    "from|von|de|da|van|fra|från|mittente|expéditeur|expediteur|od|от|від|от кого|отправитель|"
    "lähettäjä|kimden|gönderen|από|feladó|de la|remitente|remetente|dari|từ|发件人|寄件者|寄件人|"
    "差出人|送信元|보낸 사람|보낸사람|מאת|من|saatja|no|nuo|šalje|pošiljatelj|podaljatelj|"
    "frá|odesílatel|"
    "nadawca|afzender|absender|avsender|afsender|avsändare|reply-to|reply to|antwort an|répondre à"
)
_DATE = (
    "sent|date|gesendet|datum|envoyé|envoye|date d'envoi|enviado|enviado el|enviada|"
    "enviada em|enviado em|"
    "fecha|data|inviato|verzonden|sendt|dato|skickat|lähetetty|päivämäärä|päiväys|odesláno|"
    "odoslané|dátum|"
    "wysłano|wysłane|отправлено|дата|надіслано|gönderildi|gönderme tarihi|tarih|στάλθηκε|"
    "ημερομηνία|"
    "küldve|trimis|trimis la|dikirim|tanggal|đã gửi|ngày|发送时间|发送日期|日期|寄件日期|傳送時間|"
    "送信日時|日時|日付|보낸 날짜|날짜|נשלח|תאריך|تاريخ|poslano|poslato|sänt|sent at|when|sendetid"
)
_TO = (
    "to|an|à|a|para|aan|til|till|vastaanottaja|komu|do|кому|kime|alıcı|προς|címzett|către|"
    "kepada|đến|tới|收件人|"
    "收件者|宛先|받는 사람|받는사람|אל|إلى|za|prima|destinataire|destinatario|destinatário|"
    "cc|bcc|kopie|copie|kopia|"
    "kopi|kopio|cópia|copia|копия|копія|抄送|副本|참조|ccn|odbiorca|dw|udw|mottaker|"
    "modtager|mottagare|organizer"
)
_SUBJECT = (
    "subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|emne|ämne|aihe|předmět|"
    "predmet|temat|тема|"
    "konu|θέμα|tárgy|subiect|subjek|perihal|chủ đề|tiêu đề|主题|主旨|主題|件名|제목|נושא|"
    "الموضوع|zadeva|naslov|efni"
)
HEADERS = {
    name: kind
    for kind, told in (("subject", _SUBJECT), ("to", _TO), ("date", _DATE), ("from", _FROM))
    for name in told.split("|")
}

# What stands between rules before a quoted or forwarded mail.
_ORIGINAL = (
    "original message|original email|original mail|original e-mail|original appointment|"
    "reply message|"
    "forwarded message|forwarded mail|forwarded by|forward|replied message|begin forwarded message|"
    "start of forwarded message|ursprüngliche nachricht|ursprungliche nachricht|originalnachricht|"
    "original-nachricht|weitergeleitete nachricht|anfang der weitergeleiteten nachricht|"
    "beginn der weitergeleiteten nachricht|weitergeleitet|message d'origine|message original|"
    "message transféré|message réexpédié|début du message réexpédié|début du message transféré|"
    "courriel original|e-mail d'origine|mensaje original|mensaje reenviado|mensaje enviado|"
    "inicio del mensaje reenviado|mensagem original|mensagem encaminhada|"
    "início da mensagem reencaminhada|início da mensagem encaminhada|"
    "messaggio originale|messaggio inoltrato|inizio messaggio inoltrato|"
    "inizio del messaggio inoltrato|"
    "oorspronkelijk bericht|oorspronkelijk e-mailbericht|doorgestuurd bericht|"
    "begin doorgestuurd bericht|"
    "oprindelig meddelelse|original meddelelse|videresendt meddelelse|start på videresendt besked|"
    "oprindelig besked|ursprungligt meddelande|originalmeddelande|vidarebefordrat meddelande|"
    "vidarebefordrat brev|opprinnelig melding|videresendt melding|opprinnelig e-post|"
    "videresendt e-post|alkuperäinen viesti|välitetty viesti|edelleenlähetetty viesti|"
    "původní zpráva|"
    "původní e-mail|přeposlaná zpráva|pôvodná správa|preposlaná správa|oryginalna wiadomość|"
    "wiadomość oryginalna|wiadomość przekazana|treść przekazanej wiadomości|исходное сообщение|"
    "оригинальное сообщение|пересылаемое сообщение|пересланное сообщение|"
    "переадресованное сообщение|"
    "начало переадресованного сообщения|вихідне повідомлення|переслане повідомлення|"
    "orijinal ileti|orijinal mesaj|özgün ileti|iletilen mesaj|yönlendirilen ileti|αρχικό μήνυμα|"
    "προωθημένο μήνυμα|eredeti üzenet|továbbított levél|továbbított üzenet|"
    "mesajul original|mesaj original|mesaj redirecționat|pesan asli|pesan diteruskan|"
    "thư gốc|tin nhắn gốc|"
    "原始邮件|原始郵件|转发邮件|轉寄郵件|转发的邮件|邮件原件|元のメッセージ|原文|"
    "転送メッセージ|원본 메시지|원본메시지|"
    "전달된 메시지|הודעה מקורית|הודעה שהועברה|رسالة أصلية|izvorna poruka|izvirno sporočilo|"
    "originalna poruka|algne kiri|algkiri|missatge original|mensaxe orixinal"
)
ORIGINAL = re.compile(
    rf"[\s>*]*(?:[-_=~—–*]{{2,}}\s*(?:{_ORIGINAL})(?: by .{{1,60}})?\s*[:：]?\s*[-_=~—–*]{{2,}}|"
    rf"[-_=~—–*]{{4,}}\s*(?:{_ORIGINAL})\s*[:：]?|(?:{_ORIGINAL})\s*[:：]?[-_=~—–*]{{2,}}|"
    rf"[-_=~—–*]{{6,}}\s*original\s*[-_=~—–*]{{6,}}|"
    r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|"
    r"début du message (?:réexpédié|transféré)|inizio messaggio inoltrato|"
    r"inicio del mensaje reenviado|início da mensagem (?:reencaminhada|encaminhada)|"
    r"begin doorgestuurd bericht|start på videresendt besked|vidarebefordrat brev|"
    r"начало переадресованного сообщения)\s*[:：])\s*",
    re.IGNORECASE,
)

ABOVE = re.compile(
    r"[\s>*#=_|~+-]*(?:please )?(?:(?:type|write|enter|add|put|place) )?(?:your )?"
    r"(?:reply|replies|answer|response|respond)(?: to this \S+)? above (?:this|"
    r"the) line[\s.*#=_|~+-]*",
    re.IGNORECASE,
)
FOOTER = re.compile(
    r"[\s*—-]*(?:reply to this e-?mail directly|to respond, reply to this e-?mail|"
    r"you are receiving this because|you received this message because you are subscribed)",
    re.IGNORECASE,
)

# What a telephone or a program adds under a mail of its own accord.
_DEVICE = (
    r"i-?phon\w*|i-?pad\w*|i-?pod|android|blackberry|smartphone|handy|mobil\w*|mobile|phone|"
    r"phones|samsung|"
    r"galaxy|huawei|xiaomi|nokia|lumia|windows phone|outlook|yahoo\S*|gmail|mail\.ru|aol|"
    r"hotmail|proton\S*|"
    r"apple watch|mac|macbook|tablet\w*|téléphone|telefon\w*|teléfono|móvil|celular|telemóvel|"
    r"cellulare|puhelime\w*|айфон\w*|телефон\w*|mailbox|airmail|spark|typeapp|thunderbird|"
    r"verizon|t-mobile|at&t|lg|htc|sony|xperia|moto|pixel|gmx|web\.de|app|mail|mailbird|"
    r"bluemail|fairemail|k-9|"
    r"newton|polymail|superhuman|nine|boxer|edison|hey|front|missive|gerät|device"
)
_SENT = (
    r"sent (?:from|via|with|using|by|on|through)|posted (?:from|via)|typed on|written on|"
    r"gesendet (?:von|mit|aus|über|via)|von unterwegs|envoyé (?:de|depuis|à partir|avec|via|par)|"
    r"enviad[oa] (?:desde|do|de|da|a partir|pelo|con|com|via|por)|inviat[oa] (?:da|dal|con|"
    r"tramite)|"
    r"verstuurd (?:vanaf|vanuit|met|via)|verzonden (?:vanaf|vanuit|met|via)|"
    r"skickat (?:från|via|med)|sendt (?:fra|via|med)|lähetetty|wysłan[eoy] (?:z|za)|"
    r"odeslán[oy] (?:z|ze)|odoslan[éoá] (?:z|zo)|отправлено (?:с|со|из|через)|"
    r"надіслано (?:з|із|через)|изпратено от|trimis (?:de pe|din|cu)|küldve|poslan[oa] (?:z|"
    r"s|iz|sa)|"
    r"enviat (?:des|de)|enviado del|"
    r"στάλθηκε από|εστάλη από|dikirim dari|đã gửi từ|được gửi từ|saadetud"
)
_GET = r"get|download|obtenez|téléchargez|obtener|obter|descargar|scarica|ottieni|hämta|hent|hanki|"
_GET += r"pobierz|získejte|holen sie sich|outlook (?:für|voor|pour|per|para) "
MOBILE_SIGNED = re.compile(
    rf"(?:\s*<https?:\S{{1,300}}>)?[\s<\[(*_~|"
    rf"«-]*(?:(?:{_SENT})\b(?=[^,.!?]{{0,60}}?(?<!\w)(?:{_DEVICE})(?!\w)).{{0,160}}|"
    rf"(?:{_GET})\b ?(?=.{{0,20}}\b(?:outlook|bluemail|aol|yahoo mail)\b).{{0,80}}|"
    r"(?:outlook|yahoo mail) (?:für|voor|pour|per|para|for) (?:ios|android).{0,60})",
    re.IGNORECASE,
)
MOBILE_SHORT = re.compile(
    r"[\s<\[(*_~-]*sent from (?:(?:my|a|an)(?: [\w'’&-]+){1,7}|"
    r"[\w'’&-]+(?: [\w'’&-]+){0,3}\s*[<\[(]\s*(?:https?:|www\.)\S+[>\])])\s*[\])>*_~.]*\s*",
    re.IGNORECASE,
)
MOBILE_OTHER = re.compile(
    r"[\s<\[(*_~-]*(?:(?:von|aus) mein\w+ .{1,40} (?:gesendet|geschrieben)|"
    r".{1,30}(?:から送信|より送信|에서 보냄|で作成|傳送|发送|發送)|"
    r"(?:发自|發自|从|從).{1,40}|iphone'?umdan gönderildi|"
    r"נשלח מ.{1,40}|أُ?رسلت من .{1,40}|.{1,20} cihazımdan gönderildi)[\s.\])>*_~]*",
    re.IGNORECASE,
)
