"""Words that carry no topic: function words by language, and words too general to be a name on their own.

How they are used belongs in ``phrases``.
"""

_ENGLISH = """
a about above across actually after again against ago all almost alone along already also although always am among an
and another any anyone anything anyway are aren't around as ask at away back be became because become becomes been
before began being believe below besides between beyond both but by came can can't cannot come comes coming could
couldn't did didn't do does doesn't doing don't done down due during each either else enough especially etc even ever
every everyone everything few for from further gave get gets getting give gives giving go goes going gone gonna got had
hadn't happen happens has hasn't have haven't having he hence her here hers herself him himself his hope hopefully how
however i i'd i'll i'm i've if in indeed instead into is isn't it it's its itself just keep keeps kept knew know knows
least less let let's lets like likely look looking looks lot lots made make makes making many may maybe me mean means
might mine more most mostly much must mustn't my myself near nearly need needed needing needs neither never no nobody
none nor not nothing now of off often oh ok okay on once one ones only onto or other others otherwise ought our ours
ourselves out over own per perhaps please possible probably put quite rather re really said same saw say saying says
see seeing seem seems seen several shall shan't she should shouldn't simply since so some somehow someone something
sometimes somewhat soon still such sure take taken takes taking tell than that that's the their theirs them themselves
then there there's therefore these they they're think thinking this those though thought through throughout thus to
together too took toward towards tried try trying turn under unless until up upon us use used uses using usually
very via want wanted wants was wasn't way we we'd we'll we're we've well went were weren't what what's whatever when
where whereas wherever whether which while who whoever whole whom whose why will with within without won't would
wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves
agree disagree feel feels felt find found hello hey hi thank thanks start started
"""

_GERMAN = """
aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da damit dann das
dass dem den denn der des deshalb die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen
einer eines er es etwas euch für gegen gibt hab habe haben hat hatte hier ich ihm ihn ihnen ihr ihre ihren im immer in
ist ja jede jeden jeder jedes jetzt kann kein keine keinen können könnte man mehr mein meine mich mir mit muss müssen
nach nicht nichts noch nun nur ob oder ohne schon sehr sei sein seine sich sie sind so soll sollen sollte sollten sowie
über um und uns unser unsere unter viel viele vom von vor war waren warum was weil wenn wer werden wie wieder wir wird
wo wollen würde würden zu zum zur zwischen
"""

_FRENCH = """
à afin ai ainsi alors as au aucun aussi autre autres aux avant avec avez avoir avons car ce ceci cela celle celles
celui ces cet cette ceux chaque comme comment contre dans de depuis des dès devrait devraient doit doivent donc dont du
elle elles en encore entre es est et étaient était être eu faire fait faut il ils je jamais la là le les leur leurs lui
ma mais me même mes moi moins mon ne ni non nos notre nous on ont ou où par parce pas peu peut peuvent plus plutôt pour
pourquoi qu quand que quel quelle quelles quels qui quoi sa sans se sera ses si soit son sont sous sur ta te tes toi
ton tous tout toute toutes très trop tu un une vers veut voir vos votre vous y ça
"""

_SPANISH = """
a al algo algunas algunos ante antes así aún aunque bien cada como con contra cual cuando de debe deben debería
deberían del desde donde dos el él ella ellas ellos en entre era es esa esas ese eso esos esta está están estas este
esto estos fue ha hace hacer han hasta hay la las le les lo los más me mi mis mucho muchos muy nada ni no nos nosotros
nuestra nuestro o otra otras otro otros para pero poco por porque puede pueden que qué quien se sea ser si sí sin sobre
solo sólo son su sus también tan tanto te tener tiene tienen todo todos tu un una uno unos usted va y ya yo
"""

_ITALIAN = """
a ad ai al alla alle allo anche ancora avere c'è che chi ci come con contro cosa così cui da dagli dai dal dalla dalle
degli dei del della delle dello deve devono di dove e è ed era essere fa fare fra gli ha hanno ho i il in io la le lei
li lo loro lui ma me mi mia mio molto ne negli nei nel nella nelle no noi non nostra nostro o ogni per perché però più
poi può possono prima qualche quando quanto quella quelle quelli quello questa queste questi questo se sempre senza si
sia siamo solo sono sta su sua sue sugli sui sul sulla suo te ti tra tutti tutto un una uno vi voi
"""

_PORTUGUESE = """
a à ainda ao aos as às até cada com como contra da das de dela dele deles depois deve devem do dos e é ela elas ele
eles em entre era essa esse esta está estão estas este estes eu foi há isso isto já lhe mais mas me mesmo meu minha
muito muitos na nas não nem no nos nós nossa nosso o os ou para pela pelas pelo pelos pode podem por porque qual quando
que quem se sem ser seu seus só sobre sua suas são também tem têm ter todos tudo um uma umas uns você vocês
"""

_DUTCH = """
aan al alle alleen als altijd andere ben bij daar dan dat de deze die dit doen door dus een en er geen gewoon had heb
hebben heeft het hier hij hoe ik in is ja je kan kunnen maar me meer men met mij mijn moet moeten na naar niet niets nog
nu of om omdat onder ons onze ook op over te tegen tot u uit van veel voor waar wanneer want waren was wat we wel werd
wie wij wil worden wordt ze zeer zich zij zijn zo zonder zou zouden
"""

_LINKING = """
of the for and in on to at with from by a an or de du des la le les et à aux au en pour del el los las y e di della
dei delle da do dos das para per der die das dem den des von und für zu im van het en voor op
"""

_GENERAL = """
able absolutely amount area areas aspect bad basically best better big bit case cases certain certainly change changes
clear clearly comment completely current currently day days definitely different difficult easier easily easy etc
everybody exactly example extremely fact far fine full fully general generally good great greater half hard help high
higher huge idea ideas important increase increased instance interesting issue issues item items key kind large larger
last later left level long longer low lower main major matter matters minor new next nice number numbers old opinion
opinions option options part particular parts past people person place places point points poor present pretty problem
problems proper properly question questions quick quickly real reason reasons related right short similar simple
single small smaller something somebody sort statement stuff thing things time times today tomorrow topic total true
type types various view views whatever work works world worse worst worth wrong year years yesterday live lives lived
set show tell ask add create improve improved provide promote support allow ensure encourage bring develop developed
developing speak hear listen remain continue embrace involve involved become include including understand talk talking
happy love first second third two three four five six seven eight nine ten hundred thousand million
"""

_GENERAL_CJK = """
無法 无法 提供 比較 比较 通過 通过 一定 必須 必须 現有 现有 目前 使用 問題 问题 部分 時候 时候 現在 现在
方式 情況 情况 可能 許多 许多 非常 不同 造成 其實 其实 進行 进行 相關 相关 來說 来说
一樣 一样 一般 自己 個人 个人 較好 较好 最好 解決 解决 改善 增加 減少 减少 提高 影響 影响 支持 鼓勵 鼓励 重要 主要
特別 特别 完全 明顯 明显 類似 类似 出現 出现 作為 作为 喜歡 喜欢 意見 意见 辦法 办法 方法 方面 地方 事情 東西 东西
"""

FUNCTION_WORDS = {
    "en": frozenset(_ENGLISH.split()),
    "de": frozenset(_GERMAN.split()),
    "fr": frozenset(_FRENCH.split()),
    "es": frozenset(_SPANISH.split()),
    "it": frozenset(_ITALIAN.split()),
    "pt": frozenset(_PORTUGUESE.split()),
    "nl": frozenset(_DUTCH.split()),
}

LINKING_WORDS = frozenset(_LINKING.split())
"""Function words that may stand inside a phrase."""

GENERAL_WORDS = frozenset((_GENERAL + _GENERAL_CJK).split())
"""Words that cannot be a name alone."""

CJK_SEPARATORS = (
    *("為什麼", "为什么", "我覺得", "我觉得", "我認為", "我认为", "覺得", "觉得", "認為", "认为", "應該", "应该"),
    *("可以", "因為", "因为", "所以", "如果", "但是", "而且", "以及", "或者", "這個", "这个", "那個", "那个"),
    *("一個", "一个", "沒有", "没有", "不是", "就是", "還是", "还是", "我們", "我们", "他們", "他们", "你們", "你们"),
    *("大家", "什麼", "什么", "怎麼", "怎么", "這些", "这些", "那些", "這樣", "这样", "需要", "希望", "已經", "已经"),
    *("既然", "雖然", "虽然", "不過", "不过", "然而", "由於", "由于", "關於", "关于", "對於", "对于", "除了", "甚至"),
    *(
        "不會",
        "不会",
        "不能",
        "不要",
        "能夠",
        "能够",
        "其他",
        "任何",
        "例如",
        "另外",
        "只是",
        "只要",
        "只有",
        "然後",
        "然后",
    ),
    *("之前", "之後", "之后", "以前", "以後", "以后"),
    *"的了是我你您他她它們们這这那嗎吗呢吧啊很也都就還还讓让",
)
"""Chinese function words, longest first, at which runs of characters are split."""

CJK_EDGES = frozenset("和與与及或在把被從从於于而並并該该有要會会能不更最各其之以所對对")
"""Characters with which no Chinese phrase begins or ends."""
